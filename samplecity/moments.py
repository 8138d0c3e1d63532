"""What happens in Harbor Falls at moment 1 (between the two captures of the demo) and at moment 2."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from samplecity.life import LEAVER, Cast, by, leaves, posts
from samplecity.world import World

Moment = Callable[[World, Cast, datetime], None]
SIX_APPROVED = ("city-hall", "ward-3", "parks", "transit", "public-works", "news")


def first(world: World, cast: Cast, at: datetime) -> None:
    """Moment 1: every kind of change a capture is to catch."""
    ticks = (at + timedelta(milliseconds=number) for number in range(10_000))
    _edit(world, ticks.__next__)
    _delete(world, cast, ticks.__next__)
    _hide_and_show(world, cast, ticks.__next__)
    _block(world, cast, ticks.__next__)
    _label(world, cast, ticks.__next__)
    _write(world, cast, ticks.__next__)
    cast.person(world, "city-hall", LEAVER).active = False


def second(world: World, cast: Cast, at: datetime) -> None:
    """Moment 2: some of it is undone."""
    world.restore(cast.parts["deleted-in-haste"], at)
    world.unhide(cast.parts["hidden-abuse"])
    world.lift("ward-3", "block", cast.person(world, "ward-3", "grumpy"))
    world.unhide(cast.parts["trashed"])
    world.unlabel(cast.parts["labeled-wrongly"], "!warn", at)
    world.edit(cast.parts["corrected"], "Correction, second: the meeting is on Thursday at 7 p.m.", at)
    cast.person(world, "city-hall", LEAVER).active = True


MOMENTS: tuple[Moment, ...] = (first, second)
"""Moment 0 is the beginning; ``MOMENTS[0]`` leads to moment 1."""


def _edit(world: World, tick: Callable[[], datetime]) -> None:
    for name, count in (
        ("city-hall", 2),
        ("ward-3", 1),
        ("parks", 1),
        ("transit", 2),
        ("public-works", 1),
        ("news", 2),
    ):
        for post in posts(world, name)[2 : 2 + count]:
            world.edit(post.native_id, f"{post.text} (Corrected: the time was wrong.)", tick())
    titled = posts(world, "news")[5]
    titled.title = f"{titled.title} (updated)"
    world.edit(titled.native_id, f"{titled.text}\n\nUpdated with the department's answer.", tick())
    for name, count in (("city-hall", 2), ("parks", 1), ("transit", 2), ("public-works", 1)):
        for entry in leaves(world, name)[:count]:
            world.edit(entry.native_id, f"{entry.text} Edit: typo. ✏️", tick())
    altered = leaves(world, "news")[0]
    world.edit(altered.native_id, "I support this. [edited by the site]", tick())


def _delete(world: World, cast: Cast, tick: Callable[[], datetime]) -> None:
    for name in ("city-hall", "ward-3", "transit", "news"):
        post = posts(world, name)[8]
        world.delete(post.native_id, tick())
        if name == "city-hall":
            cast.parts["deleted-in-haste"] = post.native_id
    world.delete(cast.parts["chain-5"], tick())
    for name, count in (("city-hall", 2), ("ward-3", 1), ("transit", 2), ("public-works", 1), ("news", 1)):
        for entry in leaves(world, name)[4 : 4 + count]:
            world.delete(entry.native_id, tick())
    own = leaves(world, "parks", of_city=True)[0]
    world.delete(own.native_id, tick())
    answered = next(
        entry
        for entry in world.entries.values()
        if entry.account == "news"
        and entry.kind == "comment"
        and world.live(entry.native_id)
        and not world.is_hidden(entry)
        and any(not world.is_hidden(reply) for reply in world.replies(entry.native_id))
    )
    world.delete(answered.native_id, tick())


def _hide_and_show(world: World, cast: Cast, tick: Callable[[], datetime]) -> None:
    for name, key, count in (("city-hall", "grumpy", 3), ("ward-3", "nightowl", 2), ("parks", "bargains", 1)):
        for entry in by(world, cast, name, key)[:count]:
            world.hide(entry.native_id, tick())
            cast.parts.setdefault("hidden-abuse", entry.native_id)
    world.unhide(cast.parts["hidden-wrongly"])
    for entry, status in zip(
        leaves(world, "news")[1:7], ("hold", "hold", "spam", "spam", "trash", "trash"), strict=True
    ):
        world.hide(entry.native_id, tick(), status)
        cast.parts["trashed"] = entry.native_id
    world.unhide(cast.parts["held"])


def _block(world: World, cast: Cast, tick: Callable[[], datetime]) -> None:
    world.bar("ward-3", "block", cast.person(world, "ward-3", "grumpy"), tick())
    world.bar("transit", "block", cast.person(world, "transit", "bargains"), tick())
    world.lift("city-hall", "block", cast.person(world, "city-hall", "nightowl"))


def _label(world: World, cast: Cast, tick: Callable[[], datetime]) -> None:
    """The platform's moderation warns of a post of the City, and calls a comment rude."""
    warned = posts(world, "city-hall")[5]
    world.label(warned.native_id, "!warn", tick())
    cast.parts["labeled-wrongly"] = warned.native_id
    world.label(by(world, cast, "parks", "grumpy")[0].native_id, "rude", tick())


def _write(world: World, cast: Cast, tick: Callable[[], datetime]) -> None:
    for name in SIX_APPROVED:
        title = {"title": "Council moves its meeting to Thursday"} if name == "news" else {}
        post = world.post(name, "Correction: the meeting is on Thursday at 6 p.m., not Wednesday.", tick(), **title)
        cast.parts.setdefault("corrected", post.native_id)
        people = cast.of(world, name)
        first_comment = world.comment(post.native_id, people[0], "Thanks for the heads-up!", tick())
        world.comment(first_comment.native_id, world.account(name).owner, "You are welcome. 🙂", tick())
        older = posts(world, name)[4]
        world.comment(older.native_id, people[1], "Any news on this? The pothole is still there.", tick())
    brief = world.post("parks", "Posted by mistake.", tick())
    world.delete(brief.native_id, tick())
