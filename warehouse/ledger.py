"""The ledger: every capture, how far it came, and the evidence it left. A cursor moves only here, after the bytes are locked.

::

    WarehouseError
    ├── CaptureUnknown    no capture of that id                            a mistake of the caller
    └── CaptureOver       it ended, perhaps because another took over      stop; the other one goes on
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Select, func, select, update

from warehouse import gaps, inventory
from warehouse.database import batches, writing
from warehouse.faults import WarehouseError
from warehouse.ledger_rows import (
    COMPLETE,
    HISTORY,
    INTERRUPTED,
    NOT_COVERED,
    RUNNING,
    STARTS_OVER,
    Capture,
    CaptureRow,
    EvidenceObject,
    Progress,
    capture_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

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
    "EvidenceObject",
    "Progress",
    "begin_capture",
    "can_go_on",
    "captures",
    "checkpoint",
    "end_capture",
    "get_capture",
    "interrupt",
    "mark_tabled",
    "untabled_captures",
]

PAGE_ROWS = 500


class CaptureUnknown(WarehouseError):
    """No capture has this id."""

    code = "capture_unknown"


class CaptureOver(WarehouseError):
    """The capture has ended already and cannot go on."""

    code = "capture_over"


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
        inventory.store_with(connection, evidence)
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
    reason: str | None = None,
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
        inventory.store_with(connection, evidence)
        if progress is not None:
            capture = _advanced(capture, progress, ended_at)
        if since is not None:
            capture = replace(capture, since=since, reach_seconds=_reach(capture.started_at, since))
        return _end(
            connection,
            replace(capture, ended_at=ended_at, outcome=outcome, message=message, retry_at=retry_at, reason=reason),
        )


def interrupt(engine: Engine, account_id: str, *, message: str = "the process ended without a word") -> list[Capture]:
    """End every capture of the account that still claims to run, as ``interrupted`` at its last sign of life.

    Call it with the account's lease in hand: then none of them really runs. Exchanges adopted meanwhile count as its pages.
    """
    with writing(engine) as connection:
        query = select(CaptureRow.__table__).where(CaptureRow.account_id == account_id, CaptureRow.outcome == RUNNING)
        running = [capture_of(row) for row in connection.execute(query)]
        return [
            _end(
                connection,
                replace(
                    one,
                    pages=max(one.pages, inventory.exchanges(connection, one.capture_id)),
                    ended_at=one.progressed_at,
                    outcome=INTERRUPTED,
                    message=message,
                ),
            )
            for one in running
        ]


def get_capture(engine: Engine, capture_id: str) -> Capture:
    """One capture. Raises :class:`CaptureUnknown`."""
    with engine.connect() as connection:
        return _get(connection, capture_id)


def can_go_on(capture: Capture) -> bool:
    """Whether a look did not complete and can be resumed from its checkpoint."""
    over = capture.outcome == COMPLETE or capture.outcome in STARTS_OVER
    return not over and capture.checkpoint is not None


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
        for batch in batches(capture_ids):
            connection.execute(update(CaptureRow).where(CaptureRow.capture_id.in_(batch)).values(tabled_at=at))


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
    return capture_of(row)


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


def _pages(engine: Engine, query: Select[Any], after: str) -> Iterator[Capture]:
    while True:
        with engine.connect() as connection:
            page = query.where(CaptureRow.capture_id > after).order_by(CaptureRow.capture_id).limit(PAGE_ROWS)
            rows = [capture_of(row) for row in connection.execute(page)]
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].capture_id
