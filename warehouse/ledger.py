"""The ledger: every capture, how far it came, and the evidence it left. A cursor moves only here, after the bytes are locked.

::

    WarehouseError
    ├── CaptureUnknown    no capture of that id                            a mistake of the caller
    ├── CaptureOver       it ended, perhaps because another took over      stop; the other one goes on
    └── EvidenceDiffers   a key is already known with other bytes          nothing is overwritten; look at both
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, Select, Text, column, func, or_, select, tuple_, update, values

from warehouse import gaps
from warehouse.database import writing
from warehouse.faults import WarehouseError
from warehouse.lease import busy_accounts
from warehouse.ledger_rows import Capture, CaptureRow, EvidenceObject, EvidenceRow, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection, Row

__all__ = [
    "COMPLETE",
    "HISTORY",
    "INTERRUPTED",
    "NOT_COVERED",
    "RUNNING",
    "STARTS_OVER",
    "Capture",
    "CaptureOver",
    "CaptureUnknown",
    "EvidenceDiffers",
    "EvidenceObject",
    "Progress",
    "begin_capture",
    "can_go_on",
    "captures",
    "checkpoint",
    "due",
    "end_capture",
    "evidence_objects",
    "get_capture",
    "interrupt",
    "last_complete",
    "last_reaching",
    "latest",
    "mark_normalized",
    "mark_tabled",
    "pending_evidence",
    "standing",
    "store_evidence",
    "suspected_since",
    "untabled_captures",
]

RUNNING = "running"
COMPLETE = "complete"
INTERRUPTED = "interrupted"
NOT_COVERED = "not_covered"
"""Nothing went wrong, but the way the account is connected does not show this resource: a gap, not an error."""
STARTS_OVER = frozenset({"cursor_expired", "paging_loop"})
"""Outcomes after which the place to go on is worthless."""
HISTORY = "_history"
"""After the name of a resource: a slice of its past, read beside the running schedule."""
PAGE_ROWS = 500


class CaptureUnknown(WarehouseError):
    """No capture has this id."""

    code = "capture_unknown"


class CaptureOver(WarehouseError):
    """The capture has ended already and cannot go on."""

    code = "capture_over"


class EvidenceDiffers(WarehouseError):
    """An evidence key is already in the ledger with another hash."""

    code = "evidence_differs"


def begin_capture(
    engine: Engine,
    *,
    capture_id: str,
    account_id: str,
    platform: str,
    resource: str,
    started_at: datetime,
    software: str,
    since: datetime | None = None,
    resumed_from: Capture | None = None,
    last_complete: Capture | None = None,
) -> Capture:
    """Record that a look begins.

    The cursor is taken over from ``last_complete``. With ``resumed_from`` (see :func:`can_go_on`) the window, the
    checkpoint and the cursor of that look are taken over instead.
    """
    before = resumed_from or last_complete
    capture = Capture(
        capture_id=capture_id,
        account_id=account_id,
        platform=platform,
        resource=resource,
        started_at=started_at,
        progressed_at=started_at,
        ended_at=None,
        since=resumed_from.since if resumed_from else since,
        pages=0,
        items=0,
        platform_total=None,
        skipped={},
        outcome=RUNNING,
        message=None,
        retry_at=None,
        checkpoint=resumed_from.checkpoint if resumed_from else None,
        resumed_from=resumed_from.capture_id if resumed_from else None,
        newest_published=before.newest_published if before else None,
        software=software,
        tabled_at=None,
        reach_seconds=_reach(started_at, resumed_from.since if resumed_from else since),
    )
    with writing(engine) as connection:
        connection.execute(CaptureRow.__table__.insert(), asdict(capture))  # type: ignore[attr-defined]
    return capture


def checkpoint(
    engine: Engine, capture_id: str, progress: Progress, *, now: datetime, evidence: Sequence[EvidenceObject] = ()
) -> Capture:
    """Note how far a running capture came, together with the evidence locked so far, in one transaction.

    Raises :class:`CaptureUnknown`, :class:`CaptureOver`, :class:`EvidenceDiffers`.
    """
    with writing(engine) as connection:
        capture = _running(connection, capture_id)
        _store(connection, evidence)
        return _save(connection, _advanced(capture, progress, now))


def end_capture(
    engine: Engine,
    capture_id: str,
    *,
    ended_at: datetime,
    outcome: str,
    message: str | None = None,
    retry_at: datetime | None = None,
    progress: Progress | None = None,
    evidence: Sequence[EvidenceObject] = (),
    since: datetime | None = None,
) -> Capture:
    """End a capture: ``complete`` closes the open gap of its resource, anything else (also :data:`NOT_COVERED`) opens one.

    ``since``: how far back it came, where that is less far than it was to.
    ``progress`` and ``evidence`` are as in :func:`checkpoint`, in the same transaction. Ending it again with the same outcome
    changes nothing. Raises :class:`CaptureUnknown`, :class:`CaptureOver`, :class:`EvidenceDiffers`.
    """
    with writing(engine) as connection:
        capture = _locked(connection, capture_id)
        if capture.outcome == outcome:
            return capture
        _require_running(capture)
        _store(connection, evidence)
        if progress is not None:
            capture = _advanced(capture, progress, ended_at)
        if since is not None:
            capture = replace(capture, since=since, reach_seconds=_reach(capture.started_at, since))
        return _end(
            connection, replace(capture, ended_at=ended_at, outcome=outcome, message=message, retry_at=retry_at)
        )


def interrupt(engine: Engine, account_id: str, *, message: str = "the process ended without a word") -> list[Capture]:
    """End every capture of the account that still claims to run, as ``interrupted`` at its last sign of life.

    Call it with the account's lease in hand: then none of them really runs. Exchanges adopted meanwhile count as its pages.
    """
    with writing(engine) as connection:
        query = select(CaptureRow.__table__).where(CaptureRow.account_id == account_id, CaptureRow.outcome == RUNNING)
        running = [_capture(row) for row in connection.execute(query)]
        return [
            _end(
                connection,
                replace(
                    one,
                    pages=max(one.pages, _exchanges(connection, one.capture_id)),
                    ended_at=one.progressed_at,
                    outcome=INTERRUPTED,
                    message=message,
                ),
            )
            for one in running
        ]


def store_evidence(engine: Engine, objects: Iterable[EvidenceObject]) -> int:
    """Note locked objects. Those already known with the same hash are left alone. Returns how many were new.

    Raises :class:`EvidenceDiffers`.
    """
    with writing(engine) as connection:
        return _store(connection, objects)


def get_capture(engine: Engine, capture_id: str) -> Capture:
    """One capture. Raises :class:`CaptureUnknown`."""
    with engine.connect() as connection:
        return _get(connection, capture_id)


def last_complete(engine: Engine, account_id: str, resource: str) -> Capture | None:
    """The last look at this resource that completed; its ``newest_published`` is the cursor."""
    query = (
        select(CaptureRow.__table__)
        .where(CaptureRow.account_id == account_id, CaptureRow.resource == resource, CaptureRow.outcome == COMPLETE)
        .order_by(CaptureRow.started_at.desc())
        .limit(1)
    )
    return _first(engine, query)


def last_reaching(engine: Engine, account_id: str, resource: str, age: timedelta) -> datetime | None:
    """Begin of the last complete look at this resource that read back to records of this age; ``None`` where there was none."""
    reach = CaptureRow.reach_seconds
    query = select(func.max(CaptureRow.started_at)).where(
        CaptureRow.account_id == account_id,
        CaptureRow.resource == resource,
        CaptureRow.outcome == COMPLETE,
        or_(reach.is_(None), reach >= int(age.total_seconds())),
    )
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def suspected_since(engine: Engine, account_id: str, resource: str, outcome: str) -> datetime | None:
    """When a look at this resource first ended with this outcome since one completed; ``None`` where none did."""
    mine = (CaptureRow.account_id == account_id) & (CaptureRow.resource == resource)
    complete = select(func.max(CaptureRow.started_at)).where(mine, CaptureRow.outcome == COMPLETE).scalar_subquery()
    query = select(func.min(CaptureRow.started_at)).where(
        mine, CaptureRow.outcome == outcome, or_(complete.is_(None), CaptureRow.started_at > complete)
    )
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def latest(engine: Engine, account_id: str, resource: str) -> Capture | None:
    """The last look at this resource, whatever came of it."""
    query = (
        select(CaptureRow.__table__)
        .where(CaptureRow.account_id == account_id, CaptureRow.resource == resource)
        .order_by(CaptureRow.started_at.desc(), CaptureRow.capture_id.desc())
        .limit(1)
    )
    return _first(engine, query)


def can_go_on(capture: Capture) -> bool:
    """Whether a look did not complete and can be resumed from its checkpoint."""
    over = capture.outcome == COMPLETE or capture.outcome in STARTS_OVER
    return not over and capture.checkpoint is not None


def standing(
    engine: Engine, account_id: str, resources: Sequence[str]
) -> tuple[dict[str, Capture | None], dict[str, Capture | None]]:
    """The last look at each of these resources, and the last one that completed, in two questions."""
    with engine.connect() as connection:
        return _newest(connection, account_id, resources), _newest(connection, account_id, resources, COMPLETE)


def _newest(
    connection: Connection, account_id: str, resources: Sequence[str], outcome: str | None = None
) -> dict[str, Capture | None]:
    table = CaptureRow.__table__
    wanted = []
    for resource in resources:
        mine = (table.c.account_id == account_id) & (table.c.resource == resource)
        query = select(table.c.capture_id).where(mine if outcome is None else mine & (table.c.outcome == outcome))
        wanted.append(query.order_by(table.c.started_at.desc(), table.c.capture_id.desc()).limit(1).scalar_subquery())
    rows = [_capture(row) for row in connection.execute(select(table).where(table.c.capture_id.in_(wanted)))]
    found = {one.resource: one for one in rows}
    return {resource: found.get(resource) for resource in resources}


def captures(engine: Engine, *, account_id: str | None = None, after: str = "") -> Iterator[Capture]:
    """All captures in order of id (which is the order of begin), read page by page."""
    query = select(CaptureRow.__table__)
    if account_id is not None:
        query = query.where(CaptureRow.account_id == account_id)
    return _pages(engine, query, after)


def untabled_captures(engine: Engine) -> Iterator[Capture]:
    """Ended captures that are not yet in the Iceberg table, in order of id, read page by page."""
    query = select(CaptureRow.__table__).where(CaptureRow.tabled_at.is_(None), CaptureRow.outcome != RUNNING)
    return _pages(engine, query, "")


def mark_tabled(engine: Engine, capture_ids: Iterable[str], *, at: datetime) -> None:
    """Note that these captures are in the Iceberg table."""
    with writing(engine) as connection:
        for batch in _batches(capture_ids):
            connection.execute(update(CaptureRow).where(CaptureRow.capture_id.in_(batch)).values(tabled_at=at))


def pending_evidence(engine: Engine) -> Iterator[EvidenceObject]:
    """Objects not yet normalized, in capture order, read page by page."""
    return _evidence_pages(engine, EvidenceRow.normalized_at.is_(None))


def evidence_objects(
    engine: Engine, *, capture_id: str | None = None, account_id: str | None = None
) -> Iterator[EvidenceObject]:
    """All objects, or those of one capture or account, in capture order, read page by page."""
    wanted = [
        EvidenceRow.capture_id == capture_id if capture_id is not None else None,
        EvidenceRow.account_id == account_id if account_id is not None else None,
    ]
    return _evidence_pages(engine, *(one for one in wanted if one is not None))


def mark_normalized(engine: Engine, keys: Iterable[str], *, at: datetime, version: str) -> None:
    """Note that these objects' records are in the tables, made by this version of the normalizers."""
    with writing(engine) as connection:
        for batch in _batches(keys):
            done = {"normalized_at": at, "normalizer_version": version}
            connection.execute(update(EvidenceRow).where(EvidenceRow.key.in_(batch)).values(done))


def due(engine: Engine, account_ids: Iterable[str], *, now: datetime, every_seconds: float) -> list[str]:
    """Which of these accounts to capture now, in the order given.

    An account is due when it was never looked at, when its last look began ``every_seconds`` ago or was cut off, or when the
    time has come at which a look asked to be tried again; never while another process captures it.
    """
    found: list[str] = []
    with engine.connect() as connection:
        for batch in _batches(account_ids):
            busy = busy_accounts(connection, batch, now=now)
            ripe = _ripe(connection, batch, now, now - timedelta(seconds=every_seconds))
            found.extend(one for one in batch if one in ripe and one not in busy)
    return found


def _ripe(connection: Connection, account_ids: Sequence[str], now: datetime, before: datetime) -> set[str]:
    wanted = values(column("account_id", Text), name="wanted").data([(one,) for one in account_ids]).cte("wanted")
    newest = (
        select(CaptureRow.capture_id)
        .where(CaptureRow.account_id == wanted.c.account_id, CaptureRow.resource.not_like(f"%{HISTORY}"))
        .order_by(CaptureRow.started_at.desc(), CaptureRow.capture_id.desc())
        .limit(1)
        .correlate(wanted)
        .scalar_subquery()
    )
    last = CaptureRow.__table__.alias("last")
    cut_off = last.c.outcome.in_((RUNNING, INTERRUPTED))
    waited = or_(cut_off, last.c.retry_at <= now, (last.c.retry_at.is_(None)) & (last.c.started_at <= before))
    query = (
        select(wanted.c.account_id)
        .select_from(wanted)
        .outerjoin(last, last.c.capture_id == newest)
        .where(or_(last.c.capture_id.is_(None), waited))
    )
    return set(connection.execute(query).scalars())


def _reach(started_at: datetime, since: datetime | None) -> int | None:
    return None if since is None else int((started_at - since).total_seconds())


def _advanced(capture: Capture, progress: Progress, now: datetime) -> Capture:
    newest = [moment for moment in (capture.newest_published, progress.newest_published) if moment is not None]
    return replace(
        capture,
        pages=progress.pages,
        items=progress.items,
        platform_total=progress.platform_total,
        skipped=dict(progress.skipped),
        checkpoint=capture.checkpoint if progress.checkpoint is None else dict(progress.checkpoint),
        newest_published=max(newest, default=None),
        progressed_at=now,
    )


def _end(connection: Connection, capture: Capture) -> Capture:
    if capture.outcome == COMPLETE:
        capture = replace(capture, checkpoint=None)
        gaps.close(connection, capture.account_id, capture.resource, at=capture.started_at)
    else:
        if capture.outcome == NOT_COVERED:  # whatever failed before: without this, too, it would not have been covered
            gaps.rename_cause(connection, capture.account_id, capture.resource, NOT_COVERED)
        gaps.open_one(
            connection,
            account_id=capture.account_id,
            resource=capture.resource,
            cause=capture.outcome,
            capture_id=capture.capture_id,
            opened_at=_covered_until(connection, capture),
        )
    return _save(connection, capture)


def _covered_until(connection: Connection, capture: Capture) -> datetime:
    mine = (CaptureRow.account_id == capture.account_id) & (CaptureRow.resource == capture.resource)
    complete = select(func.max(CaptureRow.started_at)).where(mine, CaptureRow.outcome == COMPLETE)
    first = select(func.min(CaptureRow.started_at)).where(mine)
    return connection.execute(complete).scalar() or connection.execute(first).scalar() or capture.started_at


def _exchanges(connection: Connection, capture_id: str) -> int:
    total = select(func.coalesce(func.sum(EvidenceRow.exchanges), 0)).where(EvidenceRow.capture_id == capture_id)
    return int(connection.execute(total).scalar_one())


def _save(connection: Connection, capture: Capture) -> Capture:
    changed = {name: value for name, value in asdict(capture).items() if name != "capture_id"}
    connection.execute(update(CaptureRow).where(CaptureRow.capture_id == capture.capture_id).values(changed))
    return capture


def _get(connection: Connection, capture_id: str, *, lock: bool = False) -> Capture:
    query = select(CaptureRow.__table__).where(CaptureRow.capture_id == capture_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        msg = f"no capture {capture_id} in the ledger"
        raise CaptureUnknown(msg)
    return _capture(row)


def _locked(connection: Connection, capture_id: str) -> Capture:
    return _get(connection, capture_id, lock=True)


def _running(connection: Connection, capture_id: str) -> Capture:
    capture = _locked(connection, capture_id)
    _require_running(capture)
    return capture


def _require_running(capture: Capture) -> None:
    if capture.outcome != RUNNING:
        msg = f"capture {capture.capture_id} of {capture.account_id} has ended ({capture.outcome}); another process took over, or it was ended twice"
        raise CaptureOver(msg)


def _store(connection: Connection, objects: Iterable[EvidenceObject]) -> int:
    new = 0
    for one in objects:
        known = connection.execute(select(EvidenceRow.sha256).where(EvidenceRow.key == one.key)).scalar()
        if known is None:
            connection.execute(EvidenceRow.__table__.insert(), asdict(one))  # type: ignore[attr-defined]
            new += 1
        elif known != one.sha256:
            msg = f"evidence {one.key} is known with SHA-256 {known}, now told {one.sha256}: nothing was changed; compare the object in the bucket"
            raise EvidenceDiffers(msg)
    return new


def _capture(row: Row[Any]) -> Capture:
    return Capture(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name


def _first(engine: Engine, query: Select[Any]) -> Capture | None:
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else _capture(row)


def _pages(engine: Engine, query: Select[Any], after: str) -> Iterator[Capture]:
    while True:
        with engine.connect() as connection:
            page = query.where(CaptureRow.capture_id > after).order_by(CaptureRow.capture_id).limit(PAGE_ROWS)
            rows = [_capture(row) for row in connection.execute(page)]
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].capture_id


def _evidence_pages(engine: Engine, *wanted: ColumnElement[bool]) -> Iterator[EvidenceObject]:
    place = tuple_(EvidenceRow.capture_id, EvidenceRow.part)
    after: tuple[str, int] = ("", 0)
    while True:
        with engine.connect() as connection:
            query = select(EvidenceRow.__table__).where(place > after, *wanted)
            page = query.order_by(EvidenceRow.capture_id, EvidenceRow.part).limit(PAGE_ROWS)
            rows = [EvidenceObject(**row._mapping) for row in connection.execute(page)]  # noqa: SLF001
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = (rows[-1].capture_id, rows[-1].part)


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for name in names:
        batch.append(name)
        if len(batch) == PAGE_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
