"""Paging by offset through a listing that changes while one reads it.

Platforms that only know page numbers (WordPress) lose items to a reader: one item deleted on a page already read moves
all later ones up by one, and the first of the next page is never shown. So pages overlap: each begins some items before the end of the
one before it, and must show at least one item of it, the *seam*. Where it does not, so much was deleted that the reader steps back
until it does. What comes in during the reading only makes pages overlap more. The listing must have a total order: by id, not by
date, since many items may share a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from connectors.faults import PagingLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.contract import Checkpoint
    from connectors.exchange import Exchange
    from connectors.kit.transport import Params

T = TypeVar("T")

OVERLAP = 10
STEPS_BACK = 8
"""Each is twice as long as the one before: the last goes back 1,280 items."""


@dataclass(frozen=True, slots=True)
class Seam(Generic[T]):
    """A pager for ``offset`` and ``per_page``."""

    ids: Callable[[T], list[str]]
    total: Callable[[Exchange, T], int | None]
    """How many items the listing has; where it is not told, an empty page is the end."""
    size: int = 100

    def query(self, place: Checkpoint, /) -> Params:
        """The window at a place."""
        return {"offset": place.get("offset", 0), "per_page": self.size}

    def after(self, exchange: Exchange, value: T, place: Checkpoint, /) -> Checkpoint | None:
        """The next window, or an earlier one where the seam does not show."""
        offset, seam = int(place.get("offset", 0)), list(place.get("seam", ()))
        ids = self.ids(value)
        if seam and ids == seam and not place.get("steps"):
            msg = f"{exchange.call} gave the same page at offset {offset} as before it: it does not page"
            raise PagingLoop(msg, exchange=exchange)
        if seam and offset and not place.get("short") and seam_is_lost(seam, ids):
            return self._back(exchange, place, offset)
        total, reached = self.total(exchange, value), offset + self.size
        if not ids and self.left_out(exchange, value, place) and not place.get("again"):
            return {**place, "again": True}
        if not ids if total is None else reached >= total:
            return None
        if total is None and len(ids) < self.size:
            return {"offset": reached, "seam": ids, "short": True}
        return {"offset": reached - OVERLAP, "seam": ids}

    def left_out(self, exchange: Exchange, value: T, place: Checkpoint) -> int:
        """How many items the window has by the listing's own count that the page does not show: who asks may not see them.

        A page without any is read once more, since that is also what a passing failure looks like.
        """
        total = self.total(exchange, value) or 0
        return max(0, min(self.size, total - int(place.get("offset", 0))) - len(self.ids(value)))

    def _back(self, exchange: Exchange, place: Checkpoint, offset: int) -> Checkpoint:
        steps = int(place.get("steps", 0))
        if steps == STEPS_BACK:
            msg = f"{exchange.call} changes faster than it can be read; the next run reads it again"
            raise PagingLoop(msg, exchange=exchange)
        return {"offset": max(0, offset - OVERLAP * 2**steps), "seam": place["seam"], "steps": steps + 1}


def seam_is_lost(seam: list[str], ids: list[str]) -> bool:
    """Whether a page shows nothing of the page before it."""
    return not set(seam).intersection(ids)
