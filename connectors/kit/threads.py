"""Reading the threads of many posts, one after the other, with one checkpoint over all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.kit.clocktime import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.contract import Checkpoint, Item, Look, Page


def each_thread(look: Look, read: Callable[[Item], Iterator[Page]]) -> Iterator[Page]:
    """Read the thread of each of ``look.subjects`` that may have answers; ``read`` gives the pages of one.

    A thread that was not read to its end is read again as a whole. A checkpoint names its post by id and time, so that it
    holds where posts came or went in between: a post newer than it was read before, or is left to the next look.
    """
    held: Page | None = None
    for subject in _remaining(look):
        for page in read(subject):
            if held is not None:
                yield held
            held = replace(page, checkpoint=_place(subject, is_read=False))
        if held is not None:
            held = replace(held, checkpoint=_place(subject, is_read=True))
    if held is not None:
        yield replace(held, checkpoint=None)


def _remaining(look: Look) -> Iterator[Item]:
    at = look.resume or {}
    reached = moment(at.get("published_at"))
    for subject in look.subjects:
        is_newer = reached is not None and subject.published_at is not None and subject.published_at > reached
        is_done = bool(at.get("is_read")) and subject.native_id == at.get("subject")
        if subject.replies != 0 and not is_newer and not is_done:
            yield subject


def _place(subject: Item, *, is_read: bool) -> Checkpoint:
    published_at = subject.published_at.isoformat() if subject.published_at else None
    return {"subject": subject.native_id, "published_at": published_at, "is_read": is_read}
