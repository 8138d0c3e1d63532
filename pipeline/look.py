"""One look at one resource: page by page into the spool, locked part by part, and what is missing read directly."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from warehouse import ledger
from warehouse.evidence import Stored, lock
from warehouse.spool import CaptureFacts, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from connectors.contract import Checkpoint, Item, Page
    from connectors.exchange import Exchange
    from warehouse.bucket import Bucket

PART_BYTES = 8 * 1024 * 1024
PART_TIME = timedelta(minutes=2)
SOME = 20


class Watch(Protocol):
    """Told of each page, to show progress."""

    def __call__(self, resource: str, pages: int, items: int, total: int | None) -> None:
        """``total`` is the platform's own count, where it tells."""


@dataclass(slots=True)
class Tally:
    """What a look counted so far."""

    pages: int = 0
    items: int = 0
    total: int | None = None
    """The platform's own count: the largest, where a resource is read as several listings."""
    skipped: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None
    oldest: datetime | None = None
    since: datetime | None = None
    """How far back the look came, where it ended before it came as far as it was to."""
    checkpoint: Checkpoint | None = None

    def add(self, page: Page) -> None:
        """Count a page."""
        self.items += len(page.items)
        self.total = max((one for one in (page.total, self.total) if one is not None), default=None)
        self.skipped.update(page.skipped)
        self.checkpoint = page.checkpoint
        dates = [item.published_at for item in page.items if item.published_at]
        self.newest = max([*dates, *([self.newest] if self.newest else [])], default=None)
        self.oldest = min([*dates, *([self.oldest] if self.oldest else [])], default=None)

    def progress(self) -> ledger.Progress:
        """The count as the ledger keeps it."""
        return ledger.Progress(self.pages, self.items, self.total, dict(self.skipped), self.checkpoint, self.newest)


class Recorder:
    """Keeps the exchanges of one look: spooled at once, sealed and locked in parts, then noted in the ledger."""

    def __init__(
        self, *, engine: Engine, bucket: Bucket, spool: Path, facts: CaptureFacts, clock: Callable[[], datetime]
    ) -> None:
        self._engine, self._bucket, self._folder, self._facts, self._clock = engine, bucket, spool, facts, clock
        self._part = 0
        self._spool: Spool | None = None
        self._opened = clock()
        self.tally = Tally()

    def record(self, exchange: Exchange) -> None:
        """Spool an exchange; the bytes are safe from a crash of this process when this returns."""
        if self._spool is None:
            self._part += 1
            self._spool = Spool.open(self._folder, self._facts, self._part)
            self._opened = self._clock()
        self._spool.append(exchange)
        self.tally.pages += 1

    def page_done(self, page: Page) -> None:
        """Count the page; lock the part if it is large or old enough, and move the checkpoint."""
        self.tally.add(page)
        if self._spool is not None and (self._spool.size >= PART_BYTES or self._clock() - self._opened >= PART_TIME):
            with self._locked() as stored:
                ledger.checkpoint(
                    self._engine, self._facts.capture_id, self.tally.progress(), now=self._clock(), evidence=stored
                )

    def end(
        self,
        outcome: str,
        message: str | None = None,
        *,
        retry_at: datetime | None = None,
        reason: str | None = None,
    ) -> ledger.Capture:
        """Lock what is spooled and end the capture, in this order."""
        with self._locked() as stored:
            return ledger.end_capture(
                self._engine,
                self._facts.capture_id,
                ended_at=self._clock(),
                outcome=outcome,
                message=message,
                retry_at=retry_at,
                reason=reason,
                progress=self.tally.progress(),
                evidence=stored,
                since=self.tally.since,
            )

    def abandon(self) -> None:
        """Leave what is spooled on disk for the next run to adopt."""
        spool, self._spool = self._spool, None
        if spool is None:
            return
        if spool.exchanges:
            spool.seal().release()
        else:
            spool.discard()

    @contextmanager
    def _locked(self) -> Iterator[list[ledger.EvidenceObject]]:
        """What was spooled, locked; the local copy goes once the block has told the ledger."""
        spool, self._spool = self._spool, None
        if spool is None:
            yield []
            return
        if not spool.exchanges:
            spool.discard()
            yield []
            return
        sealed = spool.seal()
        try:
            yield [evidence_object(lock(self._bucket, sealed, clock=self._clock))]
        except BaseException:
            sealed.release()
            raise
        sealed.discard()


@dataclass(frozen=True, slots=True)
class Seen:
    """The ids a look has seen, kept beside the spool, so that a look that was cut off and resumed knows them all."""

    file: Path
    missing: set[str]
    """Known ids not seen yet."""
    known: int
    """How many were known that a listing must show."""
    shown: list[str] = field(default_factory=list)
    """Some known ids that this look has seen."""

    def open(self, *, resumed: bool) -> None:
        """Begin; with ``resumed``, the ids that the cut-off look saw count as seen."""
        if not resumed:
            self.file.unlink(missing_ok=True)
            return
        with suppress(FileNotFoundError):
            before = [native for native in self.file.read_text().splitlines() if native in self.missing]
            self.shown.extend(before[:SOME])
            self.missing.difference_update(before)

    def add(self, items: tuple[Item, ...]) -> None:
        """Note what a page shows."""
        if not self.missing:
            return
        ids = [item.native_id for item in items if item.native_id in self.missing]
        if ids:
            with self.file.open("a") as kept:
                kept.write("".join(f"{native}\n" for native in ids))
            self.missing.difference_update(ids)
            self.shown.extend(ids[: SOME - len(self.shown)])

    def close(self) -> None:
        """Forget them: the look is complete."""
        self.file.unlink(missing_ok=True)


def evidence_object(stored: Stored) -> ledger.EvidenceObject:
    """A locked object as the ledger notes it."""
    return ledger.EvidenceObject(
        key=stored.key,
        capture_id=stored.facts.capture_id,
        account_id=stored.facts.account_id,
        part=stored.part,
        sha256=stored.sha256,
        bytes=stored.bytes,
        exchanges=stored.exchanges,
        written_at=stored.written_at,
        version_id=stored.version_id,
    )


def window_start(cursor: datetime | None, now: datetime, window: timedelta) -> datetime | None:
    """How far back to read: to what was new last time, and at least the window; ``None`` (all) the first time."""
    return None if cursor is None else min(cursor, now - window)
