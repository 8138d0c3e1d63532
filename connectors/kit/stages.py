"""A resource that is read as several listings, one after the other, with one checkpoint over all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from connectors.contract import Look, Page
from connectors.faults import CursorExpired

Stage = tuple[str, Callable[[Look], Iterator[Page]]]
"""A name that checkpoints hold, and what reads the listing."""


def in_turn(look: Look, stages: Sequence[Stage]) -> Iterator[Page]:
    """Read the stages in order, from the one at which ``look.resume`` stopped.

    Raises :class:`CursorExpired` where the checkpoint names a stage there is not.
    """
    names = [name for name, _ in stages]
    at = look.resume or {}
    if at and at.get("stage") not in names:
        msg = (
            f"the checkpoint {at.get('stage')!r} is not one of {', '.join(names)}: the resource is read from its start"
        )
        raise CursorExpired(msg)
    first = names.index(at["stage"]) if at else 0
    for number, (name, read) in enumerate(stages[first:], first):
        inner = (at.get("place") or None) if number == first else None
        following = {"stage": names[number + 1], "place": {}} if number + 1 < len(names) else None
        for page in read(replace(look, resume=inner)):
            going_on = {"stage": name, "place": page.checkpoint}
            yield replace(page, checkpoint=following if page.checkpoint is None else going_on)
