"""Bluesky: the real AT Protocol services, seeded, broken and changed while accounts on them are archived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atproto_stack import Stack, running_stack
from completeness.archive import read
from completeness.atproto_people import GATE, People, with_files
from completeness.atproto_retold import retell
from completeness.compare import compare
from completeness.life import Beyond, Span
from completeness.report import Outcome
from completeness.visits import Once, Visits, installation
from fault_proxy import FaultProxy, fault_proxy

from connectors.contract import AccountRef

if TYPE_CHECKING:
    from compliance.accounts import Account

FULL: dict[str, int] = {}
"""The seeder's own size."""
FAST = {"USERS": 32, "POSTS": 22, "REPLIES": 60}
"""The least that holds every kind of change."""
PAGES = ("newsdesk.test", "city.test")
APPVIEW = "public.api.bsky.app"
PASSING: tuple[dict[str, Any], ...] = (
    {"path": "getPostThread", "times": 1, "kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"path": "getPostThread", "skip": 1, "times": 1, "kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
    {"path": "getPostThread", "skip": 3, "times": 1, "kind": "truncate", "bytes": 500},
    {"path": "getPosts", "times": 1, "kind": "empty"},
    {"path": "getPosts", "skip": 2, "times": 1, "kind": "reset", "bytes": 500},
    {"path": "listRecords", "times": 1, "kind": "truncate", "bytes": 700},
    {"path": "listRecords", "skip": 2, "times": 1, "kind": "status", "status": 502},
)
"""Faults that pass when asked again: nothing of them is to be noticed."""
REFUSING = {"path": "getPostThread", "skip": 2, "kind": "status", "status": 429, "headers": {"Retry-After": "900"}}
BEYOND = (
    Beyond(
        "earlier texts of an edit that lived only between two looks", "a server keeps the newest record of a key only"
    ),
    Beyond("what was written and deleted between two looks", "neither listed nor named anywhere"),
    Beyond(
        "a label given and taken back between two looks",
        "the service shows it as negated, which does not say that it ever was in force",
    ),
    Beyond(
        "labels on the accounts of commenters", "their accounts are not followed; what they wrote says that it went"
    ),
    Beyond(
        "the exact moment of a hide, an un-hide, an unblock", "gates and blocks have no history; the interval holds"
    ),
)


@dataclass(frozen=True, slots=True)
class _Scene:
    """The services, the people on them, and the archive that looks on."""

    stack: Stack
    proxies: tuple[FaultProxy, FaultProxy]
    visits: Visits
    tell: Callable[[str], None]


def run(place: Path, *, fast: bool, tell: Callable[[str], None]) -> Outcome:
    """Seed, capture, change and capture again; then compare."""
    began = time.monotonic()
    with running_stack() as stack, fault_proxy(stack.appview) as appview, fault_proxy(stack.server) as server:
        host = stack.server.removeprefix("http://")
        services = {**stack.services, APPVIEW: appview.address, host: server.address}
        with installation(place / "bluesky", services, tell) as visits:
            _tell_the_story(_Scene(stack, (appview, server), visits, tell), FAST if fast else FULL)
            held = read(visits.mart(), lambda text, _, files: with_files(text, files))
            truth = visits.truth
    seconds = int(time.monotonic() - began)
    result = compare(truth, held.rows, held.gaps)
    return Outcome("bluesky", result, [*BEYOND, *truth.beyond], held.quarantined, len(truth.looks), seconds)


def _tell_the_story(scene: _Scene, size: dict[str, int]) -> None:
    stack, visits, tell = scene.stack, scene.visits, scene.tell
    appview, server = scene.proxies
    tell("seeding")
    with _timed() as seed:
        stack.script("seed", **size)
    desk, city = (_registered(visits, stack.truth, handle) for handle in PAGES)

    tell("the first look, through faults that pass")
    appview.order(*PASSING[:5])
    server.order(*PASSING[5:])
    visits.whole(desk, city)

    tell("the server is stopped in the midst of a look, and stays away for the next")
    visits.broken(desk, "unreachable", Once("comments", lambda: stack.control("/pds/stop")))
    visits.broken(city, "unreachable")
    stack.control("/pds/start")

    tell("mutating")
    with _timed() as mutate:
        stack.script("mutate")
        stack.control("/process")
    visits.whole(desk, city)  # goes on where it was cut off
    visits.whole(desk, city)
    people = People(stack, stack.truth, visits.truth)
    retell(people, {people.did(handle) for handle in PAGES}, seed=seed[0], mutate=mutate[0])

    tell("more changes, one look after each round")
    blocked = _first_round(people)
    visits.whole(desk, city)
    _second_round(people, blocked)
    visits.whole(desk, city)

    tell("changes in the midst of a look")
    visits.whole(desk, during=Once("comments", lambda: _in_the_midst(people)))

    tell("the platform refuses for longer than a look waits")
    appview.order(REFUSING)
    visits.broken(desk, "rate_limited")
    appview.order()
    visits.whole(desk, city)
    visits.whole(desk)


def _first_round(people: People) -> str:
    """Returns a block."""
    posts, flat = _posts(people), people.file["flat"]
    root, closed, quoted = people.file["bigThread"], posts[-2], posts[-1]
    with people.acting():
        people.edit(posts[12], "a first correction ✏️")
        people.delete(posts[13], by_city=True)
        people.delete(posts[-3], by_city=True)
        people.edit(flat[13], "edited once by its author")
        people.delete(flat[14])
        people.delete(flat[15])
        people.hide(root, [*(people.hidden - {flat[1]}), flat[16]])
        people.undo(_block_of(people, "troll.test"))
        block = people.block("newsdesk.test", people.did("u20.test"))
        people.undo(_beside(closed, GATE))
        people.undo(_beside(quoted, "app.bsky.feed.postgate"))
        people.take_down(people.file["spam"][2]["uri"], reverse=True)
        people.take_down(people.file["spam"][4]["uri"])
        people.take_down(posts[8])
        people.label(posts[9], "!warn")
        people.label(flat[3], "spam")
        people.label(flat[4], "rude")
        people.suspend("troll.test")
        people.wake("sleeper.test")
        people.answer("u10.test", "a late answer 🙂", posts[-4])
        people.publish("newsdesk.test", "breaking: a new post")
        people.publish("city.test", "a new bulletin")
        people.edit(_bulletins(people)[1], "the bulletin, corrected")
        people.delete(_bulletins(people)[2], by_city=True)
    return block


def _second_round(people: People, block: str) -> None:
    posts, flat, root = _posts(people), people.file["flat"], people.file["bigThread"]
    with people.acting():
        people.edit(posts[12], "a second correction ✏️✏️")
        people.edit(flat[13], "edited twice by its author")
        people.write_again(flat[14], "written again under the same key", root)
        people.hide(root, [*(people.hidden - {flat[16]}), flat[1], flat[17]])
        people.undo(block)
        people.block("newsdesk.test", people.did("troll.test"))
        people.take_down(people.file["spam"][4]["uri"], reverse=True)
        people.take_down(posts[8], reverse=True)
        people.label(posts[9], "!warn", reverse=True)
        people.label(flat[3], "spam", reverse=True)
        people.edit(flat[4], "edited, and still called rude")
        people.suspend("troll.test", reverse=True)
        people.suspend("spammer.test")


def _in_the_midst(people: People) -> None:
    posts, flat, root = _posts(people), people.file["flat"], people.file["bigThread"]
    with people.acting():
        people.edit(posts[14], "corrected while being read")
        people.delete(posts[15], by_city=True)
        people.edit(flat[18], "edited while being read")
        people.delete(flat[19])
        people.label(posts[9], "!warn")
        people.label(posts[11], "!no-promote")
        people.hide(root, [*people.hidden, flat[10]])
        people.answer("u11.test", "written while being read", posts[-4])


def _registered(visits: Visits, file: dict[str, Any], handle: str) -> Account:
    found = AccountRef("bluesky", file["accounts"][handle]["did"], handle, APPVIEW)
    return visits.register(handle.replace(".", "-"), found)


def _posts(people: People) -> list[str]:
    return [post["uri"] for post in people.file["pagePosts"]]


def _bulletins(people: People) -> list[str]:
    author = people.did("city.test")
    return [uri for uri, post in people.file["posts"].items() if post["author"] == author]


def _block_of(people: People, handle: str) -> str:
    target = people.did(handle)
    actions = people.file["moderation"]
    return next(str(one["result"]["uri"]) for one in actions if one["kind"] == "block" and one["target"] == target)


def _beside(post: str, collection: str) -> str:
    _, _, repo, _, key = post.split("/")
    return f"at://{repo}/{collection}/{key}"


@contextmanager
def _timed() -> Iterator[list[Span]]:
    """Filled at the end with the time that passed inside."""
    begin, spans = datetime.now(UTC), list[Span]()
    yield spans
    spans.append(Span(begin, datetime.now(UTC)))
