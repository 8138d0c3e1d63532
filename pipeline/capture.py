"""Capture: one account, resource by resource, what it shows now and what it no longer shows.

Only what the registry holds as approved is captured. Each resource is a look of its own: pages go to the spool before anything
reads them, are locked part by part, and only then the ledger's checkpoint moves. Records known from earlier looks that this
look did not see are read directly, and the platform's answer is the evidence of what became of them.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.contract import AccountRef, Connection, Credential, Item, Look, Resource
from connectors.faults import ConnectorError, CursorExpired
from connectors.registry import PLATFORMS
from pipeline.absence import Absence, ListingShrank
from pipeline.known import known
from pipeline.look import Recorder, Seen, Watch, evidence_object, window_start
from pipeline.subjects import Subjects
from warehouse import ledger
from warehouse.evidence import lock
from warehouse.faults import WarehouseError
from warehouse.lease import leased
from warehouse.spool import CaptureFacts, adopt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Engine

    from compliance.accounts import Account
    from connectors.contract import Checkpoint
    from warehouse.bucket import Bucket
    from warehouse.tables import Archive

RESUME_WITHIN = timedelta(hours=24)
"""A listing older than this is begun anew rather than resumed: too much has moved."""
RENEW_EVERY = timedelta(seconds=30)
STOPS_ALL = frozenset({"credential_rejected", "account_unavailable", "rate_limited", "unreachable", ListingShrank.code})
"""Outcomes of one resource after which the others are not tried."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where captures go and what they know."""

    engine: Engine
    evidence: Bucket
    archive: Archive
    spool: Path
    services: Mapping[str, str]
    allow_private: bool
    window: timedelta
    software: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep


class CaptureFailed(Exception):
    """A look at an account did not complete. The ledger has it; ``captures`` are the looks of this run."""

    def __init__(self, message: str, *, code: str, retry_at: datetime | None, captures: list[ledger.Capture]) -> None:
        super().__init__(message)
        self.code = code
        self.retry_at = retry_at
        self.captures = captures


def capture(
    places: Places, account: Account, credential: Credential | None, *, watch: Watch | None = None
) -> list[ledger.Capture]:
    """Look at all resources of an account. Returns the looks, all complete.

    Raises :class:`CaptureFailed` where one did not complete, and :class:`warehouse.lease.AccountBusy`.
    """
    platform = PLATFORMS[account.platform]
    done: list[ledger.Capture] = []
    with leased(places.engine, account.account_id, clock=places.clock) as renew:
        places.spool.mkdir(parents=True, exist_ok=True)
        adopt_leftovers(places)
        ledger.interrupt(places.engine, account.account_id)
        keep = _now_and_then(renew, places.clock)
        subjects = Subjects(places.spool / f"{account.name}.subjects")
        for resource in platform.resources:
            if done and done[-1].outcome in STOPS_ALL:
                done.append(_not_tried(places, account, resource, done[-1]))
            else:
                done.append(_Look(places, account, resource, credential, subjects, watch, keep).run())
    failed = next((one for one in done if one.outcome != ledger.COMPLETE), None)
    if failed:
        message = f"{account.name}: {failed.message or failed.outcome}"
        raise CaptureFailed(message, code=failed.outcome, retry_at=failed.retry_at, captures=done)
    return done


def _now_and_then(renew: Callable[[], None], clock: Callable[[], datetime]) -> Callable[[], None]:
    """Renew the lease at most every :data:`RENEW_EVERY`, however many pages come."""
    last = clock()

    def kept() -> None:
        nonlocal last
        if clock() - last >= RENEW_EVERY:
            renew()
            last = clock()

    return kept


def refuse(places: Places, account: Account, *, code: str, message: str) -> CaptureFailed:
    """Note in the ledger that no resource of the account could be looked at, and why. Returns the error to raise."""
    noted = [
        _end_untried(places, account, resource, outcome=code, message=message, retry_at=None)
        for resource in PLATFORMS[account.platform].resources
    ]
    return CaptureFailed(f"{account.name}: {message}", code=code, retry_at=None, captures=noted)


def adopt_leftovers(places: Places) -> int:
    """Lock what dead processes left in the spool, whatever account it is of. Returns how many parts."""
    count = 0
    for sealed in adopt(places.spool):
        try:
            stored = lock(places.evidence, sealed, clock=places.clock)
            ledger.store_evidence(places.engine, [evidence_object(stored)])
        except BaseException:
            sealed.release()
            raise
        sealed.discard()
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class _Look:
    places: Places
    account: Account
    resource: Resource
    credential: Credential | None
    subjects: Subjects
    watch: Watch | None
    renew: Callable[[], None]

    def run(self) -> ledger.Capture:
        """Look, resumed where a recent one was cut off; an expired cursor starts the listing over once."""
        before = ledger.unfinished(self.places.engine, self.account.account_id, self.resource.name)
        too_old = before and self.places.clock() - before.progressed_at > RESUME_WITHIN
        if too_old or (self._gives_subjects and not self.subjects.kept):
            before = None
        ended = self._once(before)
        if before and ended.outcome in ledger.STARTS_OVER:
            ended = self._once(None)
        return ended

    def _once(self, before: ledger.Capture | None) -> ledger.Capture:
        begun = self._begin(before)
        recorder = self._recorder(begun)
        try:
            self._read(begun, recorder, resumed=before is not None)
            return recorder.end(ledger.COMPLETE)
        except CursorExpired as problem:
            recorder.tally.checkpoint = None
            return recorder.end(problem.code, str(problem))
        except ConnectorError as problem:
            return recorder.end(problem.code, str(problem), getattr(problem, "retry_at", None))
        except WarehouseError:
            recorder.abandon()
            raise
        except BaseException:
            recorder.end(ledger.INTERRUPTED, "stopped before its end")
            raise

    def _begin(self, before: ledger.Capture | None) -> ledger.Capture:
        now = self.places.clock()
        return ledger.begin_capture(
            self.places.engine,
            capture_id=new_capture_id(now),
            account_id=self.account.account_id,
            platform=self.account.platform,
            resource=self.resource.name,
            started_at=now,
            software=self.places.software,
            since=self._since(now),
            resumed_from=before,
        )

    def _since(self, now: datetime) -> datetime | None:
        """How far back to read. Posts: also to where the looks at their threads were last complete, as these take them from here."""
        engine, account_id = self.places.engine, self.account.account_id
        last = ledger.last_complete(engine, account_id, self.resource.name)
        reached = [last.newest_published if last else None]
        for resource in PLATFORMS[self.account.platform].resources if self._gives_subjects else ():
            if resource.needs_posts:
                read = ledger.last_complete(engine, account_id, resource.name)
                reached.append(read.started_at if read else None)
        known_to = [moment for moment in reached if moment is not None]
        return window_start(min(known_to) if len(known_to) == len(reached) else None, now, self.places.window)

    @property
    def _gives_subjects(self) -> bool:
        return self.resource.name == "posts"

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
        return Recorder(
            engine=self.places.engine,
            bucket=self.places.evidence,
            spool=self.places.spool,
            facts=facts,
            clock=self.places.clock,
        )

    def _read(self, begun: ledger.Capture, recorder: Recorder, *, resumed: bool) -> None:
        connection = self._connection(recorder)
        missing = self._known(begun)
        seen = Seen(self._seen_file(), missing, len(missing))
        seen.open(resumed=resumed)
        if self._gives_subjects:
            self.subjects.begin(resumed=resumed)
        self._list(begun, recorder, seen, connection, resume=begun.checkpoint)
        suspected = ledger.suspected_since(self.places.engine, begun.account_id, begun.resource, ListingShrank.code)
        absence = Absence(self.resource, connection, seen, suspected)
        if absence.is_suspicious:
            self.subjects.begin(resumed=not self._gives_subjects)
            self._list(begun, recorder, seen, connection, resume=None)
        for page in absence.confirmed():
            recorder.page_done(page)
            self._tell(recorder)
        seen.close()

    def _list(
        self,
        begun: ledger.Capture,
        recorder: Recorder,
        seen: Seen,
        connection: Connection,
        *,
        resume: Checkpoint | None,
    ) -> None:
        """Read the listing to its end."""
        subjects: Iterator[Item] | tuple[()] = iter(self.subjects) if self.resource.needs_posts else ()
        for page in self.resource.fetch(connection, Look(since=begun.since, resume=resume, subjects=subjects)):
            seen.add(page.items)
            if self._gives_subjects:
                self.subjects.add(page.items)
            recorder.page_done(page)  # last: the checkpoint may move past this page
            self._tell(recorder)

    def _known(self, begun: ledger.Capture) -> set[str]:
        roots = None
        if self.resource.needs_posts:
            roots = {item.native_id for item in self.subjects}
            roots |= self._known_in("posts", begun, None)
        return self._known_in(self.resource.name, begun, roots)

    def _known_in(self, resource: str, begun: ledger.Capture, roots: set[str] | None) -> set[str]:
        if begun.since is None and ledger.last_complete(self.places.engine, begun.account_id, begun.resource) is None:
            return set()
        return known(
            self.places.archive,
            resource,
            platform=begun.platform,
            account_id=begun.account_id,
            since=begun.since,
            roots=roots,
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

    def _tell(self, recorder: Recorder) -> None:
        self.renew()
        if self.watch:
            self.watch(self.resource.name, recorder.tally.pages, recorder.tally.items, recorder.tally.total)

    def _seen_file(self) -> Path:
        return self.places.spool / f"{self.account.name}.{self.resource.name}.seen"


def _not_tried(places: Places, account: Account, resource: Resource, why: ledger.Capture) -> ledger.Capture:
    message = f"not tried: {why.resource} ended with {why.outcome}"
    return _end_untried(places, account, resource, outcome=why.outcome, message=message, retry_at=why.retry_at)


def _end_untried(
    places: Places, account: Account, resource: Resource, *, outcome: str, message: str, retry_at: datetime | None
) -> ledger.Capture:
    now = places.clock()
    begun = ledger.begin_capture(
        places.engine,
        capture_id=new_capture_id(now),
        account_id=account.account_id,
        platform=account.platform,
        resource=resource.name,
        started_at=now,
        software=places.software,
    )
    return ledger.end_capture(
        places.engine, begun.capture_id, ended_at=now, outcome=outcome, message=message, retry_at=retry_at
    )


def new_capture_id(now: datetime) -> str:
    """An id that sorts by time and that no two processes make."""
    return f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
