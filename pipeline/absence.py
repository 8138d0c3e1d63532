"""What a listing no longer shows: when that is believable, and when it is checked before anything is recorded.

Absence alone is never a deletion: each missing record is read directly, and the platform's answer is the evidence. A platform in
trouble can fail at both: a listing that lost a page, and direct reads that find nothing. So where more than a few are missing,

1. the listing is read once more, if its loss is beyond an ordinary day: what it shows now is not missing;
2. records that it does show are read directly, as *controls*: where none of them is said to be there, direct reads are worth nothing;
3. where it shows nothing known at all, there is no control: then the same must be seen again :data:`CHECK_AFTER` later.

Until then the look ends as ``suspicious_shrink``, which opens a gap and is a finding; no record is said to be gone.

Where a platform has one answer for a record that was deleted and one whose author's account is gone, it is asked about the authors, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.faults import ConnectorError
from transforms.page import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from connectors.contract import Connection, Page, Resource
    from connectors.exchange import Exchange
    from pipeline.look import Seen

FEW = 2
"""So many missing records are believed gone if the platform says so."""
ORDINARY = 10
"""So many are an ordinary day, whatever their share."""
SHARE = 0.2
"""Above this share of what was known, more than :data:`ORDINARY` are a suspicious loss."""
CONTROLS = 3
CHECK_AFTER = timedelta(hours=1)


class ListingShrank(ConnectorError):
    """Much of what was known is missing at once, and the platform's answers about it cannot be trusted yet."""

    code = "suspicious_shrink"


@dataclass(frozen=True, slots=True)
class Absence:
    """What one look at a resource misses."""

    resource: Resource
    connection: Connection
    seen: Seen
    apart: set[str]
    """Known records that no listing shows any more: always read directly."""
    suspected_since: Callable[[], datetime | None]
    """Asks when a look at this resource first ended as suspicious, if none has completed since."""
    written_by: Callable[[Collection[str]], Mapping[str, Sequence[str]]]
    """Asks who wrote records: native id of the author -> native ids."""

    @property
    def is_suspicious(self) -> bool:
        """Whether more is missing than an ordinary day explains: then the listing is to be read once more."""
        return is_suspicious(len(self._lost), self.seen.known)

    def confirmed(self) -> Iterator[Page]:
        """Read what is missing directly. Raises :class:`ListingShrank` where the answers would not be worth anything."""
        ask = sorted(self.seen.missing | self.apart)
        if not self.resource.confirm or not ask:
            return
        if len(self._lost) > FEW:
            self._check()
        authors = self._authors(ask)
        if self.resource.authors and authors:
            yield from self.resource.authors(self.connection, authors)
        told = {native_id for ids in authors.values() for native_id in ids}
        yield from self.resource.confirm(self.connection, [one for one in ask if one not in told])

    def _authors(self, missing: Collection[str]) -> dict[str, Sequence[str]]:
        """Who but the account itself wrote what is missing, those first of whom most is; for platforms that are to be asked about them."""
        if self.resource.authors is None:
            return {}
        wrote = self.written_by(missing)
        others = [author for author in wrote if author != self.connection.account.native_id]
        return {author: wrote[author] for author in sorted(others, key=lambda one: (-len(wrote[one]), one))}

    @property
    def _lost(self) -> list[str]:
        """What is missing that a complete listing would show."""
        return [native_id for native_id in self.seen.missing if not self.resource.unlisted(native_id)]

    def _check(self) -> None:
        controls = [native_id for native_id in self.seen.shown if not self.resource.unlisted(native_id)][:CONTROLS]
        if controls:
            if not self._any_there(controls):
                raise ListingShrank(self._message("records which the listing shows are said not to exist either"))
            return
        since = self.suspected_since()
        if since is None or self.connection.clock() - since < CHECK_AFTER:
            hours = CHECK_AFTER / timedelta(hours=1)
            raise ListingShrank(
                self._message(f"it shows nothing known at all; believed if it is the same {hours:g} h later")
            )

    def _any_there(self, controls: list[str]) -> bool:
        assert self.resource.confirm is not None  # noqa: S101 - confirmed() asked
        apart = replace(self.connection, record=self._record_control)
        return any(
            item.native_id == control
            for control in controls
            for page in self.resource.confirm(apart, [control])
            for item in page.items
        )

    def _record_control(self, exchange: Exchange) -> None:
        """Evidence like all else, but no statement about the record."""
        self.connection.record(replace(exchange, call=CONTROL + exchange.call))

    def _message(self, why: str) -> str:
        return (
            f"{self.resource.name}: {len(self._lost)} of {self.seen.known} known records are missing from the listing, and "
            f"{why}. Nothing is recorded as gone; the next look checks again. Look at the account on the platform"
        )


def is_suspicious(missing: int, known: int) -> bool:
    """Whether so many missing records of so many known ones are more than an ordinary day explains."""
    if missing == known:
        return missing > FEW
    return missing > ORDINARY and missing > known * SHARE
