"""Backfills: the past of an account, read slice by slice beside the running schedule, newest first.

A first look may end before it came to the beginning. Then a backfill is begun: where each listing goes on, and how far it came.
Until it ends, the account has an open gap in ``history``, cause ``history_not_read``: the archive does not claim what it has not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import JSON, Engine, Index, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from warehouse import gaps
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row
    from sqlalchemy.engine import Connection

    from warehouse.ledger_rows import Capture

RESOURCE = "history"
CAUSE = "history_not_read"


class BackfillRow(Base):
    """Table ``backfills``: one per account whose past is or was read in slices."""

    __tablename__ = "backfills"
    account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    listings: Mapped[dict[str, Any]] = mapped_column(JSON)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    progressed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    slices: Mapped[int]


Index("ix_backfills_ended", BackfillRow.ended_at)


class Listing(msgspec.Struct, frozen=True):
    """How far one listing of an account was read."""

    place: dict[str, Any] | None
    """Where it goes on; ``None``: it came to its end."""
    items: int
    """Items seen, those of the first look included."""
    total: int | None = None
    """The platform's own count of it, where it gives one."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far the past of an account was read."""

    account_id: str
    listings: Mapping[str, Listing]
    begun_at: datetime
    progressed_at: datetime
    ended_at: datetime | None
    reached_at: datetime | None
    """Oldest publication time read."""
    slices: int = 0

    @property
    def waiting(self) -> list[str]:
        """Listings that go on."""
        return [name for name, listing in self.listings.items() if listing.place is not None]

    @property
    def items(self) -> int:
        """Items seen in all listings."""
        return sum(listing.items for listing in self.listings.values())

    @property
    def total(self) -> int | None:
        """What there is by the platform's own counts; ``None`` where it does not count every listing."""
        totals = [listing.total for listing in self.listings.values()]
        return sum(one for one in totals if one is not None) if totals and None not in totals else None


def begin(engine: Engine, first: Capture, listing: Listing, *, now: datetime, reached: datetime | None) -> None:
    """Begin the backfill of an account, or add a listing to it: a first look (``first``) came so far."""
    with writing(engine) as connection:
        there = _get(connection, first.account_id) or Backfill(first.account_id, {}, now, now, None, reached)
        _save(connection, _with(there, first.resource, listing, now, reached))
        gaps.open_one(
            connection,
            account_id=first.account_id,
            resource=RESOURCE,
            cause=CAUSE,
            capture_id=first.capture_id,
            opened_at=first.started_at,
            gap_id=f"{first.capture_id}.{RESOURCE}",
        )


def advance(
    engine: Engine, account_id: str, resource: str, listing: Listing, *, now: datetime, reached: datetime | None
) -> Backfill:
    """Note that a slice of a listing was read, and how far it is now; the last one closes the gap. Returns the state after it."""
    with writing(engine) as connection:
        before = _get(connection, account_id)
        assert before is not None  # noqa: S101 - a slice is read of a backfill that was begun
        after = _with(before, resource, listing, now, reached)
        after = replace(after, slices=before.slices + 1, ended_at=None if after.waiting else now)
        _save(connection, after)
        if not after.waiting:
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
        return [_backfill(row) for row in connection.execute(query)]


def _with(before: Backfill, resource: str, listing: Listing, now: datetime, reached: datetime | None) -> Backfill:
    known = [one for one in (before.reached_at, reached) if one is not None]
    return replace(
        before,
        listings={**before.listings, resource: listing},
        progressed_at=now,
        ended_at=None,
        reached_at=min(known, default=None),
    )


def _get(connection: Connection, account_id: str) -> Backfill | None:
    row = connection.execute(select(BackfillRow.__table__).where(BackfillRow.account_id == account_id)).first()
    return None if row is None else _backfill(row)


def _backfill(row: Row[Any]) -> Backfill:
    columns = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    listings = msgspec.convert(columns.pop("listings"), dict[str, Listing])
    return Backfill(listings=listings, **columns)


def _save(connection: Connection, one: Backfill) -> None:
    listings = {name: msgspec.to_builtins(listing) for name, listing in one.listings.items()}
    columns = {name: getattr(one, name) for name in BackfillRow.__table__.columns.keys() if name != "listings"}  # noqa: SIM118
    connection.execute(delete(BackfillRow).where(BackfillRow.account_id == one.account_id))
    connection.execute(BackfillRow.__table__.insert(), {**columns, "listings": listings})  # type: ignore[attr-defined]
