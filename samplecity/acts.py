"""Acts by name, for tests and for people who play with the city: ``{"act": "edit", "id": "at://...", "text": "..."}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from samplecity.world import Entry, World, WorldError

if TYPE_CHECKING:
    from datetime import datetime

    from samplecity.life import Cast
    from samplecity.people import Person

Order = Mapping[str, Any]


def perform(world: World, cast: Cast, order: Order, at: datetime) -> dict[str, Any]:
    """Do one act and say what it did. Raises :class:`WorldError` where it cannot be done.

    - ``post``: account, text, title, status, picture
    - ``comment``: parent, text, by (key of a citizen, or the account's name; default: the first citizen)
    - ``edit``: id, text, title; ``delete``, ``restore``, ``unhide``: id; ``hide``: id, status (WordPress)
    - ``label``, ``unlabel``: id, value (``!takedown`` takes down; Bluesky)
    - ``block``, ``unblock``, ``mute``, ``unmute``: account, person
    - ``deactivate``, ``reactivate``: platform, person; ``suspend``, ``unsuspend``: person (Mastodon)
    - ``rename``: account, handle
    """
    name = str(order.get("act", ""))
    act = _ACTS.get(name)
    if act is None:
        msg = f"there is no act {name!r}; there are {', '.join(_ACTS)}"
        raise WorldError(msg)
    try:
        done = act(world, cast, order, at)
    except KeyError as problem:
        msg = f"the act {name} needs {problem}"
        raise WorldError(msg) from None
    if isinstance(done, Entry):
        return {"act": name, "id": done.native_id, "record_id": done.record_id}
    return {"act": name}


def _post(world: World, cast: Cast, order: Order, at: datetime) -> Entry:
    del cast
    more = {key: str(order[key]) for key in ("title", "status", "picture", "lang") if key in order}
    return world.post(order["account"], order["text"], at, **more)


def _comment(world: World, cast: Cast, order: Order, at: datetime) -> Entry:
    above = world.entry(order["parent"])
    who = order.get("by", cast.of(world, above.account)[0].key)
    by_city = who == above.account
    author = world.account(who).owner if by_city else cast.person(world, above.account, who)
    more = {key: str(order[key]) for key in ("status", "type", "lang") if key in order}
    return world.comment(above.native_id, author, order["text"], at, **more)


def _edit(world: World, cast: Cast, order: Order, at: datetime) -> Entry:
    del cast
    entry = world.edit(order["id"], order["text"], at)
    entry.title = str(order.get("title", entry.title))
    return entry


def _bar(world: World, cast: Cast, order: Order, at: datetime) -> None:
    subject = cast.person(world, order["account"], order["person"])
    world.bar(order["account"], order["act"], subject, at)


def _lift(world: World, cast: Cast, order: Order, at: datetime) -> None:
    del at
    subject = cast.person(world, order["account"], order["person"])
    world.lift(order["account"], order["act"].removeprefix("un"), subject)


def _activity(world: World, cast: Cast, order: Order, at: datetime) -> None:
    del cast, at
    person: Person = world.person(order["platform"], order["person"])
    person.active = order["act"] == "reactivate"


def _suspension(world: World, cast: Cast, order: Order, at: datetime) -> None:
    del cast, at
    world.person("mastodon", order["person"]).suspended = order["act"] == "suspend"


def _rename(world: World, cast: Cast, order: Order, at: datetime) -> None:
    del cast, at
    owner = world.account(order["account"]).owner
    owner.handle = str(order["handle"])
    world.meet(owner)


_ACTS: dict[str, Callable[[World, Cast, Order, datetime], Entry | None]] = {
    "post": _post,
    "comment": _comment,
    "edit": _edit,
    "delete": lambda world, _, order, at: world.delete(order["id"], at),
    "restore": lambda world, _, order, at: world.restore(order["id"], at, order.get("text")),
    "hide": lambda world, _, order, at: world.hide(order["id"], at, str(order.get("status", "hold"))),
    "unhide": lambda world, _, order, at: world.unhide(order["id"]) if at else None,
    "label": lambda world, _, order, at: world.label(order["id"], str(order["value"]), at),
    "unlabel": lambda world, _, order, at: world.unlabel(order["id"], str(order["value"]), at),
    "block": _bar,
    "mute": _bar,
    "unblock": _lift,
    "unmute": _lift,
    "deactivate": _activity,
    "reactivate": _activity,
    "suspend": _suspension,
    "unsuspend": _suspension,
    "rename": _rename,
}
