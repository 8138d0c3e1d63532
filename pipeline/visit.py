"""A visit to one account: what all looks during it share, and how each of them is recorded."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.contract import AccountRef, Connection, Credential
from connectors.faults import ConnectorError, CursorExpired
from connectors.registry import PLATFORMS
from pipeline.look import Recorder, Watch, evidence_object
from warehouse import inventory, ledger, looked
from warehouse.evidence import lock
from warehouse.faults import WarehouseError
from warehouse.lease import leased
from warehouse.spool import CaptureFacts, adopt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from compliance.accounts import Account
    from pipeline.known import Known
    from pipeline.plan import Hot
    from warehouse.bucket import Bucket

RENEW_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Places:
    """Where captures go and what they know."""

    engine: Engine
    evidence: Bucket
    known: Known
    spool: Path
    services: Mapping[str, str]
    allow_private: bool
    window: timedelta
    """How far back to look again."""
    software: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    first_pages: int | None = None
    """Pages of a listing after which a first look leaves the rest to the backfill; ``None``: it goes to the beginning."""
    hot: Hot | None = None
    """Which threads beyond the window are looked at, too."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One account, reached with one credential, while its lease is held."""

    places: Places
    account: Account
    credential: Credential | None
    watch: Watch | None
    renew: Callable[[], None]
    latest: Mapping[str, ledger.Capture | None]
    """Resource -> the last look at it before this visit."""
    last_complete: Mapping[str, ledger.Capture | None]
    """Resource -> the last look at it that completed, before this visit."""

    def begin(
        self, resource: str, *, since: datetime | None = None, resumed_from: ledger.Capture | None = None
    ) -> ledger.Capture:
        """Note in the ledger that a look begins."""
        last = self.last_complete.get(resource)
        return _begin(self.places, self.account, resource, last, since=since, resumed_from=resumed_from)

    def record(self, begun: ledger.Capture, read: Callable[[Recorder, Connection], None]) -> ledger.Capture:
        """Let ``read`` read, and end the look in the ledger with what came of it.

        What the platform did not give ends as an outcome; where storage fails, what was read stays in the spool and the error is raised.
        """
        recorder = self._recorder(begun)
        try:
            read(recorder, self._connection(recorder))
            return recorder.end(ledger.COMPLETE)
        except CursorExpired as problem:
            recorder.tally.checkpoint = None
            return recorder.end(problem.code, str(problem))
        except ConnectorError as problem:
            retry_at = getattr(problem, "retry_at", None)
            return recorder.end(problem.code, str(problem), retry_at=retry_at, reason=problem.reason)
        except WarehouseError:
            recorder.abandon()
            raise
        except BaseException:
            recorder.end(ledger.INTERRUPTED, "stopped before its end")
            raise

    def tell(self, resource: str, recorder: Recorder) -> None:
        """Renew the lease; show progress."""
        self.renew()
        if self.watch:
            self.watch(resource, recorder.tally.pages, recorder.tally.items, recorder.tally.total)

    def _recorder(self, begun: ledger.Capture) -> Recorder:
        facts = CaptureFacts(
            capture_id=begun.capture_id,
            account_id=begun.account_id,
            platform=begun.platform,
            service=self.account.service,
            resource=begun.resource,
            started_at=begun.started_at,
            software=begun.software,
        )
        places = self.places
        return Recorder(
            engine=places.engine, bucket=places.evidence, spool=places.spool, facts=facts, clock=places.clock
        )

    def _connection(self, recorder: Recorder) -> Connection:
        account = self.account
        return Connection(
            account=AccountRef(account.platform, account.native_id, account.handle, account.service),
            record=recorder.record,
            clock=self.places.clock,
            sleep=self.places.sleep,
            credential=self.credential,
            services=self.places.services,
            allow_private=self.places.allow_private,
        )


@contextmanager
def visiting(
    places: Places, account: Account, credential: Credential | None, watch: Watch | None = None
) -> Iterator[Visit]:
    """Hold the account's lease, and put in order what a process that died left behind.

    Raises :class:`warehouse.lease.AccountBusy`.
    """
    with leased(places.engine, account.account_id, clock=places.clock) as renew:
        places.spool.mkdir(parents=True, exist_ok=True)
        adopt_leftovers(places)
        ledger.interrupt(places.engine, account.account_id)
        names = [resource.name for resource in PLATFORMS[account.platform].resources]
        latest, complete = looked.standing(places.engine, account.account_id, names)
        yield Visit(places, account, credential, watch, _now_and_then(renew, places.clock), latest, complete)


def _now_and_then(renew: Callable[[], None], clock: Callable[[], datetime]) -> Callable[[], None]:
    """Renew the lease at most every :data:`RENEW_EVERY`, however many pages come."""
    last = clock()

    def kept() -> None:
        nonlocal last
        if clock() - last >= RENEW_EVERY:
            renew()
            last = clock()

    return kept


def untried(
    places: Places,
    account: Account,
    resource: str,
    *,
    outcome: str,
    message: str,
    retry_at: datetime | None = None,
    reason: str | None = None,
) -> ledger.Capture:
    """Note in the ledger that a resource could not be looked at, and why."""
    begun = _begin(places, account, resource, looked.last_complete(places.engine, account.account_id, resource))
    return ledger.end_capture(
        places.engine,
        begun.capture_id,
        ended_at=begun.started_at,
        outcome=outcome,
        message=message,
        retry_at=retry_at,
        reason=reason,
    )


def _begin(
    places: Places,
    account: Account,
    resource: str,
    last_complete: ledger.Capture | None,
    *,
    since: datetime | None = None,
    resumed_from: ledger.Capture | None = None,
) -> ledger.Capture:
    now = places.clock()
    return ledger.begin_capture(
        places.engine,
        capture_id=new_capture_id(now),
        account_id=account.account_id,
        platform=account.platform,
        resource=resource,
        started_at=now,
        software=places.software,
        since=since,
        resumed_from=resumed_from,
        last_complete=last_complete,
    )


def adopt_leftovers(places: Places) -> int:
    """Lock what dead processes left in the spool, whatever account it is of. Returns how many parts."""
    count = 0
    for sealed in adopt(places.spool):
        try:
            stored = lock(places.evidence, sealed, clock=places.clock)
            inventory.store(places.engine, [evidence_object(stored)])
        except BaseException:
            sealed.release()
            raise
        sealed.discard()
        count += 1
    return count


def new_capture_id(now: datetime) -> str:
    """An id that sorts by time and that no two processes make."""
    return f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
