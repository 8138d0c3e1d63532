"""What was looked at, and when: what the ledger answers to who plans the next look."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Select, Text, column, func, or_, select, values

from warehouse.database import batches
from warehouse.lease import busy_accounts
from warehouse.ledger_rows import COMPLETE, HISTORY, INTERRUPTED, RUNNING, Capture, CaptureRow, capture_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection


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
    rows = [capture_of(row) for row in connection.execute(select(table).where(table.c.capture_id.in_(wanted)))]
    found = {one.resource: one for one in rows}
    return {resource: found.get(resource) for resource in resources}


def due(engine: Engine, account_ids: Iterable[str], *, now: datetime, every_seconds: float) -> list[str]:
    """Which of these accounts to capture now, in the order given.

    An account is due when it was never looked at, when its last look began ``every_seconds`` ago or was cut off, or when the
    time has come at which a look asked to be tried again; never while another process captures it.
    """
    found: list[str] = []
    with engine.connect() as connection:
        for batch in batches(account_ids):
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


def _first(engine: Engine, query: Select[Any]) -> Capture | None:
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else capture_of(row)
