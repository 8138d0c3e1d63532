"""Backfill: the past of an account, newest first, a slice at a time, beside the running schedule.

A slice is some pages of a listing and, where comments are read thread by thread, the threads of its posts. The place to go on
moves only when all of it is locked: a slice that was cut off is read again as a whole, and adds nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from connectors.contract import Look, Resource
from connectors.registry import PLATFORMS
from pipeline.capture import check_complete
from pipeline.look import Tally
from pipeline.subjects import Subjects
from pipeline.visit import Places, Visit, visiting
from warehouse import backfills, ledger
from warehouse.backfills import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from compliance.accounts import Account
    from connectors.contract import Connection, Credential
    from pipeline.look import Recorder, Watch
    from warehouse.backfills import Backfill


def read_slice(
    places: Places, account: Account, credential: Credential | None, *, pages: int, watch: Watch | None = None
) -> Backfill:
    """Read the next slice of each listing of the account that goes on. Returns how far the backfill is then.

    Raises :class:`pipeline.capture.CaptureFailed` where a look did not complete (the slice is read again next time),
    :class:`warehouse.lease.AccountBusy`, and ``LookupError`` where the account has no backfill.
    """
    with visiting(places, account, credential, watch) as visit:
        state = backfills.get(places.engine, account.account_id)
        if state is None:
            msg = f"{account.name} has no backfill: its first look read everything, or there was none"
            raise LookupError(msg)
        for name in state.waiting:
            state = _Slice(visit, name, pages, state.listings[name]).read()
    return state


@dataclass(slots=True)
class _Slice:
    visit: Visit
    name: str
    pages: int
    before: Listing
    tally: Tally = field(default_factory=Tally)

    def read(self) -> Backfill:
        """Read on from where the listing is; an expired place starts it over."""
        listed = self._look(self.name, self._list)
        if listed.outcome in ledger.STARTS_OVER:
            self._advance(Listing({}, 0, self.before.total), None)
        check_complete(self.visit.account, [listed])
        below = [self._look(one.name, partial(self._threads, one)) for one in self._below()]
        check_complete(self.visit.account, below)
        totals = [one for one in (self.before.total, self.tally.total) if one is not None]
        return self._advance(
            Listing(
                place=_place(self.tally.checkpoint),
                items=self.before.items + self.tally.items,
                total=max(totals, default=None),
            ),
            self.tally.oldest,
        )

    def _below(self) -> list[Resource]:
        """Resources that are read thread by thread, below the posts of this slice."""
        resources = PLATFORMS[self.visit.account.platform].resources
        return [one for one in resources if one.needs_posts] if self.name == "posts" else []

    def _look(self, name: str, read: Callable[[Recorder, Connection], None]) -> ledger.Capture:
        return self.visit.record(self.visit.begin(name + ledger.HISTORY), read)

    def _list(self, recorder: Recorder, connection: Connection) -> None:
        self.tally = recorder.tally
        subjects = self._subjects()
        subjects.begin(resumed=False)
        resource = next(one for one in PLATFORMS[self.visit.account.platform].resources if one.name == self.name)
        for number, page in enumerate(resource.fetch(connection, Look(resume=self.before.place or None)), 1):
            subjects.add(page.items)
            recorder.page_done(page)
            self.visit.tell(self.name, recorder)
            if number >= self.pages:
                break

    def _threads(self, resource: Resource, recorder: Recorder, connection: Connection) -> None:
        for page in resource.fetch(connection, Look(subjects=iter(self._subjects()))):
            recorder.page_done(page)
            self.visit.tell(resource.name, recorder)

    def _advance(self, listing: Listing, reached: datetime | None) -> Backfill:
        places, account = self.visit.places, self.visit.account
        return backfills.advance(
            places.engine, account.account_id, self.name, listing, now=places.clock(), reached=reached
        )

    def _subjects(self) -> Subjects:
        return Subjects(self.visit.places.spool / f"{self.visit.account.name}.history.subjects")


def _place(checkpoint: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if checkpoint is None else dict(checkpoint)
