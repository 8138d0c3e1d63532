"""The script of the sample city: what there is at moment 0, and what happens at moments 1 and 2.

The same ``now`` and ``seed`` give the same city, to the last id. Most of it lies in the 120 days before ``now``, the rest reaches
back nine years, so that retention periods have something to end on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from samplecity.people import APPVIEW, NEWS, Person, citizens
from samplecity.world import Entry, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POSTS = {
    "city-hall": 70,
    "ward-3": 55,
    "parks": 60,
    "brandt-personal": 10,
    "transit": 60,
    "public-works": 55,
    "library": 30,
    "news": 60,
}
COMMENTS = {
    "city-hall": 290,
    "ward-3": 230,
    "parks": 190,
    "brandt-personal": 10,
    "transit": 220,
    "public-works": 170,
    "library": 60,
    "news": 200,
}
LONG_THREAD_COMMENTS = 118
CHAIN_DEPTH = 12
RECENT_DAYS = 120
RECENT_SHARE = 0.7
DEEPEST = 6
QUIET = timedelta(minutes=30)
"""Nothing of moment 0 is younger."""
MIX = {"thanks": 24, "questions": 18, "complaints": 22, "opinions": 24, "abuse": 5, "spam": 7}
LEAVER = "curious"
"""The citizen who deactivates the account at moment 1; few comments."""
SILENCED = ("grumpy", "bargains", "nightowl")


@cache
def voices() -> Any:  # noqa: ANN401 - a YAML tree
    """The texts of ``voices.yaml``."""
    return yaml.load(Path(__file__).with_name("voices.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@dataclass(slots=True)
class Cast:
    """What the script must find again: the random source, the people, and entries by their part."""

    rng: random.Random
    people: dict[tuple[str, str], list[Person]]
    parts: dict[str, str] = field(default_factory=dict)

    def of(self, world: World, account: str) -> list[Person]:
        """Who may comment on an account's posts."""
        owner = world.account(account).owner
        home = {"bluesky": APPVIEW, "wordpress": NEWS}.get(owner.platform, owner.service)
        return self.people[owner.platform, home]

    def person(self, world: World, account: str, key: str) -> Person:
        """One of them by key."""
        return next(person for person in self.of(world, account) if person.key == key)

    def say(self, text: str) -> str:
        """A text with its blanks filled in."""
        words = voices()
        return (
            text.replace("{street}", self.rng.choice(words["streets"]))
            .replace("{place}", self.rng.choice(words["places"]))
            .replace("{day}", self.rng.choice(words["days"]))
            .replace("{n}", str(self.rng.randint(2, 98)))
        )


def begin(now: datetime, seed: int = 7) -> tuple[World, Cast]:
    """The city at moment 0."""
    world = World(now)
    cast = Cast(random.Random(seed), citizens(voices()["citizens"], now))  # noqa: S311 - a script, not a secret
    for name in world.accounts:
        posts = _publish(world, cast, name)
        _talk(world, cast, name, posts)
    _long_thread(world, cast)
    _private_statuses(world, cast)
    _pingbacks(world, cast)
    _moderate(world, cast)
    return world, cast


def _publish(world: World, cast: Cast, name: str) -> list[Entry]:
    words = voices()
    owner = world.account(name).owner
    days = world.account(name).archived_since_days - 1
    times = sorted(_some_time(cast.rng, world.now, days) for _ in range(POSTS[name]))
    posts = []
    for number, at in enumerate(times):
        text = cast.say(words["posts"][name][number % len(words["posts"][name])])
        more: dict[str, str] = {}
        if owner.platform == "wordpress":
            bodies = [cast.say(body) for body in cast.rng.sample(words["bodies"], cast.rng.randint(1, 3))]
            more, text = {"title": text}, "\n\n".join(bodies)
        if number % 6 == 1:
            more["picture"] = cast.say("A view of {place} from {street}")
        posts.append(world.post(name, text, at, created_text=client_clock(at, number), **more))
    if owner.platform == "mastodon":
        for post in posts[5:7]:
            world.boost(name, post, post.at + timedelta(days=1))
    return posts


def _talk(world: World, cast: Cast, name: str, posts: list[Entry]) -> None:
    rng = cast.rng
    weights = [rng.choice((1, 1, 2, 5)) for _ in posts]
    depths: dict[str, int] = {}
    threads: dict[str, list[Entry]] = {}
    for number in range(COMMENTS[name]):
        root = rng.choices(posts, weights)[0]
        thread = threads.setdefault(root.native_id, [])
        open_ones = [entry for entry in thread if depths[entry.native_id] < DEEPEST]
        parent = rng.choice(open_ones) if open_ones and rng.random() < 0.4 else root  # noqa: PLR2004 - two in five answer an answer
        entry = _comment(world, cast, parent, number)
        depths[entry.native_id] = depths.get(parent.native_id, 0) + 1
        thread.append(entry)


def _comment(world: World, cast: Cast, parent: Entry, number: int) -> Entry:
    rng = cast.rng
    words = voices()["comments"]
    owner = world.account(parent.account).owner
    answer = parent.author is not owner and rng.random() < 0.3  # noqa: PLR2004 - the City answers three in ten
    kind = "answers" if answer else rng.choices(list(MIX), list(MIX.values()))[0]
    author = owner if answer else _author(world, cast, parent.account, kind)
    text = cast.say(rng.choice(words[kind]))
    if owner.platform == "mastodon" and number % 2:
        text = f"@{parent.author.handle} {text}"
    latest = world.now - QUIET - parent.at
    at = parent.at + min(timedelta(minutes=rng.expovariate(1 / 600)), latest * 0.9)
    return world.comment(parent.native_id, author, text, at, created_text=client_clock(at, number))


def _author(world: World, cast: Cast, account: str, kind: str) -> Person:
    if kind == "spam":
        return cast.person(world, account, "bargains")
    if kind == "abuse":
        return cast.person(world, account, cast.rng.choice(("grumpy", "nightowl")))
    return cast.rng.choice([person for person in cast.of(world, account) if person.key not in (*SILENCED, LEAVER)])


def _long_thread(world: World, cast: Cast) -> None:
    """One thread as busy as a real one: many answers, a chain twelve deep, and a hole in it from before the first capture."""
    at = world.now - timedelta(days=20)
    words = voices()["comments"]
    root = world.post("city-hall", "Should Harbor Drive be closed to cars on Sundays? Tell us. 🚲🚗", at)
    cast.parts["long-thread"] = root.native_id
    chain = root
    people = [person for person in cast.of(world, "city-hall") if person.key not in (*SILENCED, LEAVER)]
    for depth in range(CHAIN_DEPTH):
        at += timedelta(minutes=7)
        chain = world.comment(chain.native_id, people[depth % 2], cast.say(words["chain"][depth]), at)
        cast.parts[f"chain-{depth + 1}"] = chain.native_id
    level = [root]
    for number in range(LONG_THREAD_COMMENTS - CHAIN_DEPTH):
        at += timedelta(minutes=3)
        kind = cast.rng.choice(("opinions", "questions", "complaints", "thanks"))
        parent = cast.rng.choice(level[-40:]) if number % 3 else root
        text = cast.say(cast.rng.choice(words[kind]))
        level.append(world.comment(parent.native_id, people[number % len(people)], text, at))
    hole = next(entry for entry in level[1:] if len(world.replies(entry.native_id)) > 1)
    world.delete(hole.native_id, at)
    for number in range(3):
        leaver = cast.person(world, "city-hall", LEAVER)
        parent = (root, level[5], level[9])[number]
        world.comment(
            parent.native_id, leaver, f"Our shop says: no, no. ({number + 1})", at + timedelta(minutes=number + 1)
        )


def _private_statuses(world: World, cast: Cast) -> None:
    at = world.now - timedelta(days=9)
    world.post("transit", "Followers only: test of the new alert system.", at, status="private")
    direct = world.post("transit", "@amara We found your bag at the Depot.", at + timedelta(hours=1), status="direct")
    world.post("transit", "Quiet update: minor timetable fixes.", at + timedelta(hours=2), status="unlisted")
    cast.parts["direct-message"] = direct.native_id


def _pingbacks(world: World, cast: Cast) -> None:
    blog = Person("blog", "wordpress", NEWS, "0", "blog", "Lake County Blog", world.now, website="https://blog.example")
    for post in _posts(world, "news")[-9:-7]:
        text = "[&#8230;] as the City writes on its news site [&#8230;]"
        world.comment(post.native_id, blog, text, post.at + timedelta(days=1), type="pingback")
    cast.parts["pingback-of"] = _posts(world, "news")[-9].native_id


def _moderate(world: World, cast: Cast) -> None:
    """What was hidden, held and blocked before anyone looked."""
    at = world.now - timedelta(days=2)
    for name in ("city-hall", "ward-3", "parks"):
        for entry in _by(world, cast, name, "bargains")[:2]:
            world.hide(entry.native_id, at)
    for name in ("city-hall", "transit"):
        world.bar(name, "block", cast.person(world, name, "nightowl"), at)
    world.bar("transit", "mute", cast.person(world, "transit", LEAVER), at)
    world.label(_by(world, cast, "ward-3", "bargains")[0].native_id, "spam", at)
    spam = _by(world, cast, "news", "bargains")
    for entry, status in zip(spam, ("spam", "spam", "trash", "hold"), strict=False):
        world.hide(entry.native_id, at, status)
    cast.parts["held"] = next(
        entry.native_id for entry in _by(world, cast, "news", "leandro") if not world.children.get(entry.native_id)
    )
    world.hide(cast.parts["held"], at, "hold")
    thread = world.gates
    cast.parts["hidden-wrongly"] = next(
        uri for gate in thread.values() for uri in gate.hidden if world.entries[uri].account == "city-hall"
    )


def client_clock(at: datetime, number: int) -> str:
    """``createdAt`` as the apps write it: milliseconds mostly, but also microseconds, offsets and wrong clocks."""
    variants: dict[int, Callable[[], str]] = {
        11: lambda: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        23: lambda: at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        37: lambda: (at - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S.123-05:00"),
        49: lambda: (at + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    usual = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    return variants.get(number % 53, lambda: usual)()


def _some_time(rng: random.Random, now: datetime, days: int) -> datetime:
    age = rng.uniform(0.2, RECENT_DAYS) if rng.random() < RECENT_SHARE else rng.uniform(RECENT_DAYS, days)
    return now - timedelta(days=age)


def _posts(world: World, account: str) -> list[Entry]:
    """The account's live posts, oldest first."""
    found = [
        entry
        for entry in world.entries.values()
        if entry.account == account and entry.kind == "post" and not entry.deleted_at and not entry.boosts
    ]
    return sorted(found, key=lambda entry: entry.at)


def _by(world: World, cast: Cast, account: str, key: str) -> list[Entry]:
    """The live comments of one citizen there, newest first."""
    person = cast.person(world, account, key)
    found = [entry for entry in _comments(world, account) if entry.author is person]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _comments(world: World, account: str) -> Iterator[Entry]:
    for entry in world.entries.values():
        if entry.account == account and entry.kind == "comment" and not entry.deleted_at:
            yield entry


def leaves(world: World, account: str, *, of_city: bool = False) -> list[Entry]:
    """Live, visible comments without answers, newest first: safe to change without touching others."""
    owner = world.account(account).owner
    found = [
        entry
        for entry in _comments(world, account)
        if not world.children.get(entry.native_id)
        and not world.is_hidden(entry)
        and entry.type == "comment"
        and (entry.author is owner) == of_city
        and entry.author.key not in (*SILENCED, LEAVER)
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def posts(world: World, account: str) -> list[Entry]:
    """The account's live public posts, newest first."""
    return [post for post in reversed(_posts(world, account)) if post.status in ("public", "publish")]


def by(world: World, cast: Cast, account: str, key: str) -> list[Entry]:
    """The live, visible comments of one citizen, newest first."""
    return [entry for entry in _by(world, cast, account, key) if not world.is_hidden(entry)]
