"""Backfills: the past of an account, read slice by slice beside the running schedule, newest first.

A first look may end before it came to the beginning. Then a backfill is begun: where each listing goes on, and how far it came.
Until it ends, the account has an open gap in ``history``, cause ``history_not_read``: the archive does not claim what it has not read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, Engine, Index, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from warehouse import gaps
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from warehouse.ledger_rows import Capture

RESOURCE = "history"
CAUSE = "history_not_read"


class BackfillRow(Base):
    """Table ``backfills``: one per account whose past is or was read in slices."""

    __tablename__ = "backfills"
    account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    places: Mapped[dict[str, Any]] = mapped_column(JSON)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    progressed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    slices: Mapped[int]
    items: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)


Index("ix_backfills_ended", BackfillRow.ended_at)


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far the past of an account was read."""

    account_id: str
    places: Mapping[str, Mapping[str, Any] | None]
    """Where each listing goes on; ``None``: it came to its end."""
    begun_at: datetime
    progressed_at: datetime
    ended_at: datetime | None
    reached_at: datetime | None
    """Oldest publication time read."""
    slices: int = 0
    items: int = 0
    """Items seen, those of the first look included."""
    total: int | None = None
    """The platform's own count of what there is, where it gives one."""

    @property
    def waiting(self) -> dict[str, Mapping[str, Any]]:
        """Listings that go on, and where."""
        return {name: place for name, place in self.places.items() if place is not None}


def begin(
    engine: Engine, first: Capture, place: Mapping[str, Any] | None, *, now: datetime, reached: datetime | None
) -> datetime | None:
    """Begin the backfill of an account, or add a listing to it: a first look (``first``) stopped at ``place``. Returns ``reached``."""
    with writing(engine) as connection:
        before = _get(connection, first.account_id)
        there = before or Backfill(first.account_id, {}, now, now, None, reached)
        places = {**there.places, first.resource: None if place is None else dict(place)}
        _save(
            connection,
            replace(there, places=places, progressed_at=now, ended_at=None, reached_at=_older(there, reached)),
        )
        gaps.open_one(
            connection,
            account_id=first.account_id,
            resource=RESOURCE,
            cause=CAUSE,
            capture_id=first.capture_id,
            opened_at=first.started_at,
            gap_id=f"{first.capture_id}.{RESOURCE}",
        )
    return reached


def advance(
    engine: Engine,
    account_id: str,
    resource: str,
    place: Mapping[str, Any] | None,
    *,
    now: datetime,
    items: int,
    reached: datetime | None,
    total: int | None,
) -> Backfill:
    """Note that a slice of a listing was read, and where it goes on; the last one closes the gap. Returns the state after it."""
    with writing(engine) as connection:
        before = _get(connection, account_id)
        assert before is not None  # noqa: S101 - a slice is read of a backfill that was begun
        places = {**before.places, resource: None if place is None else dict(place)}
        over = all(one is None for one in places.values())
        after = replace(
            before,
            places=places,
            progressed_at=now,
            ended_at=now if over else None,
            reached_at=_older(before, reached),
            slices=before.slices + 1,
            items=before.items + items,
            total=before.total if total is None else total,
        )
        _save(connection, after)
        if over:
            gaps.close(connection, account_id, RESOURCE, at=now)
    return after


def get(engine: Engine, account_id: str) -> Backfill | None:
    """The backfill of an account; ``None`` where none was ever begun: its first look read everything, or there was none."""
    with engine.connect() as connection:
        return _get(connection, account_id)


def unfinished(engine: Engine) -> list[Backfill]:
    """Backfills that go on, the one that waited longest first."""
    query = select(BackfillRow.__table__).where(BackfillRow.ended_at.is_(None)).order_by(BackfillRow.progressed_at)
    with engine.connect() as connection:
        return [Backfill(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's documented name


def _older(before: Backfill, reached: datetime | None) -> datetime | None:
    return min((one for one in (before.reached_at, reached) if one is not None), default=None)


def _get(connection: Connection, account_id: str) -> Backfill | None:
    row = connection.execute(select(BackfillRow.__table__).where(BackfillRow.account_id == account_id)).first()
    return None if row is None else Backfill(**row._mapping)  # noqa: SLF001


def _save(connection: Connection, one: Backfill) -> None:
    connection.execute(delete(BackfillRow).where(BackfillRow.account_id == one.account_id))
    connection.execute(BackfillRow.__table__.insert(), asdict(one))  # type: ignore[attr-defined]
