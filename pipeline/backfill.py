"""Backfill: the past of an account, newest first, a slice at a time, beside the running schedule.

A slice is some pages of a listing and, where comments are read thread by thread, the threads of its posts. The place to go on
moves only when all of it is locked: a slice that was cut off is read again as a whole, and adds nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.contract import Look, Resource
from connectors.registry import PLATFORMS
from pipeline.capture import check_complete
from pipeline.subjects import Subjects
from pipeline.visit import Places, Visit, visiting
from warehouse import backfills, ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

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
            state = _Slice(visit, name, pages).read(state)
    return state


@dataclass(frozen=True, slots=True)
class _Slice:
    visit: Visit
    name: str
    pages: int

    def read(self, state: Backfill) -> Backfill:
        """Read on from the state's place; an expired place starts the listing over."""
        read = _Listing(self.pages, state.waiting[self.name])
        looks = [self._look(self.name, partial(self._list, read))]
        if looks[0].outcome in ledger.STARTS_OVER:
            self._advance(state, {}, looks[0], None)
        check_complete(self.visit.account, looks)
        looks += [self._look(one.name, partial(self._threads, one)) for one in self._below()]
        check_complete(self.visit.account, looks)
        return self._advance(state, read.place, looks[0], read)

    def _below(self) -> list[Resource]:
        """Resources that are read thread by thread, below the posts of this slice."""
        resources = PLATFORMS[self.visit.account.platform].resources
        return [one for one in resources if one.needs_posts] if self.name == "posts" else []

    def _look(self, name: str, read: Any) -> ledger.Capture:  # noqa: ANN401 - a method with its first arguments given
        return self.visit.record(self.visit.begin(name + ledger.HISTORY), read)

    def _list(self, read: _Listing, recorder: Recorder, connection: Connection) -> None:
        subjects = self._subjects()
        subjects.begin(resumed=False)
        resource = _resource(self.visit, self.name)
        for number, page in enumerate(resource.fetch(connection, Look(resume=read.place or None)), 1):
            subjects.add(page.items)
            recorder.page_done(page)
            self.visit.tell(self.name, recorder)
            read.place = page.checkpoint
            if number >= read.pages:
                break
        read.recorder = recorder

    def _threads(self, resource: Resource, recorder: Recorder, connection: Connection) -> None:
        for page in resource.fetch(connection, Look(subjects=iter(self._subjects()))):
            recorder.page_done(page)
            self.visit.tell(resource.name, recorder)

    def _advance(
        self, state: Backfill, place: Mapping[str, Any] | None, look: ledger.Capture, read: _Listing | None
    ) -> Backfill:
        tally = read.recorder.tally if read and read.recorder else None
        return backfills.advance(
            self.visit.places.engine,
            state.account_id,
            self.name,
            place,
            now=self.visit.places.clock(),
            items=look.items if tally else 0,
            reached=tally.oldest if tally else None,
            total=look.platform_total,
        )

    def _subjects(self) -> Subjects:
        return Subjects(self.visit.places.spool / f"{self.visit.account.name}.history.subjects")


@dataclass(slots=True)
class _Listing:
    pages: int
    place: Mapping[str, Any] | None
    recorder: Recorder | None = None


def _resource(visit: Visit, name: str) -> Resource:
    return next(one for one in PLATFORMS[visit.account.platform].resources if one.name == name)
