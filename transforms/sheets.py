"""All tables being filled from one page after another, and where each item went."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from transforms.columns import WIDE_COUNTS, Sheet, counts, files
from transforms.observations import SCHEMAS, Batch
from transforms.quarantine import DECODING, Broken, native_id, why
from transforms.rows import Action, Content, Counts, Gate, Mark, Profile, Quarantined
from transforms.together import with_earlier, with_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from transforms.page import ArchivedPage

Item = bytes | msgspec.Raw
Outcome = str | None
"""What became of an item: None for a row (or rows), else the reason why it was left out on purpose."""


def sha256(item: Item) -> str:
    """SHA-256 of the bytes as the platform sent them."""
    return hashlib.sha256(item).hexdigest()


class Sheets:
    """One sheet per table of a :class:`transforms.observations.Batch`."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.posts = Sheet(SCHEMAS["posts"], Content)
        self.comments = Sheet(SCHEMAS["comments"], Content)
        self.moderation_actions = Sheet(SCHEMAS["moderation_actions"], Action)
        self.profiles = Sheet(SCHEMAS["profiles"], Profile)
        self.told = Sheet(SCHEMAS["posts"], Content)
        """Earlier versions; whether of a post or a comment is seen from the record itself."""
        self.own_views = Sheet(SCHEMAS["posts"], Content)
        """What the account wrote, as the public sees it: read as a record, too, and shown only through that."""
        self.counts = Sheet(WIDE_COUNTS, Counts)
        self.quarantine = Sheet(SCHEMAS["quarantine"], Quarantined)
        self.marks = Sheet(SCHEMAS["marks"], Mark)
        self.gates = Sheet(SCHEMAS["gates"], Gate)
        self._sheets: tuple[Sheet[Any], ...] = (
            *(self.posts, self.comments, self.told, self.own_views, self.counts),
            *(self.moderation_actions, self.profiles),
            *(self.quarantine, self.marks, self.gates),
        )
        self.items = 0
        self.rows = 0
        self.skipped: Counter[str] = Counter()
        self.quarantined = 0

    def each(self, items: Iterable[Item], read: Callable[[Item], Outcome]) -> None:
        """Let ``read`` turn every item into rows; one it cannot read goes to quarantine, and the next one follows."""
        for item in items:
            self.items += 1
            try:
                outcome = read(item)
            except (Broken, *DECODING) as problem:
                self.put_aside(item, why(problem))
                continue
            if outcome is None:
                self.rows += 1
            else:
                self.skipped[outcome] += 1

    def whole(self, read: Callable[[Item], Outcome], page: ArchivedPage) -> None:
        """The page is one item."""
        self.each([page.content], read)

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count items left out on purpose."""
        if count:
            self.items += count
            self.skipped[reason] += count

    def put_aside(self, item: Item, broken: Broken) -> None:
        """A quarantine row for an item already counted."""
        self.quarantined += 1
        self.quarantine.add(
            Quarantined(
                reason=broken.reason,
                payload_sha256=sha256(item),
                native_id=native_id(bytes(item)),
                detail=broken.detail,
            )
        )

    def end_page(self, page: ArchivedPage) -> None:
        """Give all rows of the page what they share."""
        shared: dict[str, Any] = {
            "account_id": page.account_id,
            "platform": page.platform,
            "call": page.call,
            "capture_id": page.capture_id,
            "evidence_key": page.evidence_key,
            "evidence_offset": page.evidence_offset,
            "normalizer_version": self.version,
            "seen_at": page.fetched_at,
        }
        for sheet in self._sheets:
            sheet.end_page(shared)

    def batch(self) -> Batch:
        """Everything of all ended pages."""
        views = self.own_views.table()
        shown = with_views(self.posts.table(), views), with_views(self.comments.table(), views)
        posts, comments = with_earlier(*shown, self.told.table())
        return Batch(
            posts=posts,
            comments=comments,
            moderation_actions=self.moderation_actions.table(),
            profiles=self.profiles.table(),
            media=files([posts, comments], SCHEMAS["media"]),
            metrics=counts(self.counts.table(), SCHEMAS["metrics"]),
            quarantine=self.quarantine.table(),
            marks=self.marks.table(),
            gates=self.gates.table(),
            skipped=dict(self.skipped),
            items=self.items,
            ended={"row": self.rows, "quarantine": self.quarantined, "skipped": self.skipped.total()},
        )
