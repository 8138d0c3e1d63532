"""Gaps: what was not covered, from the last look that succeeded to the first that succeeds again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine, Index, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.database import Base, UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

PAGE_ROWS = 500


class GapRow(Base):
    """Table ``gaps``: at most one open gap per account and resource."""

    __tablename__ = "gaps"
    gap_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text)
    resource: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    capture_id: Mapped[str] = mapped_column(Text)


Index(
    "uq_gaps_open",
    GapRow.account_id,
    GapRow.resource,
    unique=True,
    sqlite_where=GapRow.closed_at.is_(None),
    postgresql_where=GapRow.closed_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval of a resource that was not covered."""

    gap_id: str
    account_id: str
    resource: str
    cause: str
    """Outcome code of the first capture that failed."""
    opened_at: datetime
    """Begin of the last look that succeeded before, or of the first look there ever was."""
    closed_at: datetime | None
    """Begin of the first look that succeeded after; ``None`` while open."""
    capture_id: str
    """The capture that failed first."""


def open_one(
    connection: Connection,
    *,
    account_id: str,
    resource: str,
    cause: str,
    capture_id: str,
    opened_at: datetime,
    gap_id: str | None = None,
) -> None:
    """Open a gap, unless one is open already for the account and resource: the first cause stands.

    ``gap_id`` is the capture's id unless given.
    """
    unclosed = select(GapRow.gap_id).where(
        GapRow.account_id == account_id, GapRow.resource == resource, GapRow.closed_at.is_(None)
    )
    if connection.execute(unclosed).first() is None:
        row = {
            "gap_id": gap_id or capture_id,
            "account_id": account_id,
            "resource": resource,
            "cause": cause,
            "opened_at": opened_at,
            "closed_at": None,
            "capture_id": capture_id,
        }
        connection.execute(GapRow.__table__.insert(), row)  # type: ignore[attr-defined]


def close(connection: Connection, account_id: str, resource: str, *, at: datetime) -> None:
    """Close the open gap of the account and resource, if there is one."""
    unclosed = (GapRow.account_id == account_id) & (GapRow.resource == resource) & GapRow.closed_at.is_(None)
    connection.execute(update(GapRow).where(unclosed).values(closed_at=at))


def rename_cause(connection: Connection, account_id: str, resource: str, cause: str) -> None:
    """Give the open gap of the account and resource, if there is one, the cause that is now known to be the real one."""
    unclosed = (GapRow.account_id == account_id) & (GapRow.resource == resource) & GapRow.closed_at.is_(None)
    connection.execute(update(GapRow).where(unclosed).values(cause=cause))


def listing(engine: Engine, *, account_id: str | None = None, unclosed_only: bool = False) -> Iterator[Gap]:
    """All gaps, oldest capture first, read page by page."""
    query = select(GapRow.__table__)
    if account_id is not None:
        query = query.where(GapRow.account_id == account_id)
    if unclosed_only:
        query = query.where(GapRow.closed_at.is_(None))
    after = ""
    while True:
        with engine.connect() as connection:
            page = query.where(GapRow.gap_id > after).order_by(GapRow.gap_id).limit(PAGE_ROWS)
            rows = [Gap(**row._mapping) for row in connection.execute(page)]  # noqa: SLF001 - SQLAlchemy's documented name
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].gap_id
