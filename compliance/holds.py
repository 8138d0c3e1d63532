"""Holds: what must be kept whatever its series says, and since when.

A hold names a reason and a scope. Every part of the scope that is given must match: accounts, a range of publication, kinds, a
pattern in title or text, single records, or a query that gives record ids. A hold is released, never removed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Engine, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from compliance.faults import HoldRefused, UnknownHold
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection


class HoldRow(Base):
    """Table ``holds``."""

    __tablename__ = "holds"
    hold_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    account_ids: Mapped[list[str]] = mapped_column(JSON)
    kinds: Mapped[list[str]] = mapped_column(JSON)
    record_ids: Mapped[list[str]] = mapped_column(JSON)
    published_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    text: Mapped[str | None] = mapped_column(Text)
    query: Mapped[str | None] = mapped_column(Text)
    everything: Mapped[bool]
    placed_by: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    released_by: Mapped[str | None] = mapped_column(Text)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    release_reason: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a hold covers: everything that matches all parts given."""

    account_ids: Sequence[str] = ()
    kinds: Sequence[str] = ()
    record_ids: Sequence[str] = ()
    published_from: datetime | None = None
    published_until: datetime | None = None
    """Exclusive end."""
    text: str | None = None
    """RE2 pattern, matched anywhere in title or text, without case."""
    query: str | None = None
    """SELECT over the mart whose column ``record_id`` names the records."""
    everything: bool = False
    """Must be said to hold all records, so that an empty scope is no accident."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, in force while ``released_at`` is ``None``."""

    hold_id: str
    reason: str
    scope: Scope
    placed_by: str
    placed_at: datetime
    released_by: str | None = None
    released_at: datetime | None = None
    release_reason: str | None = None


def place(engine: Engine, hold_id: str, *, reason: str, scope: Scope, by: str, at: datetime) -> Hold:
    """Place a hold. Placing the same one again changes nothing. Raises :class:`HoldRefused`."""
    _refuse_empty(hold_id, reason, scope)
    hold = Hold(hold_id, reason, scope, by, at)
    with writing(engine) as connection:
        known = _find(connection, hold_id)
        if known is None:
            connection.execute(HoldRow.__table__.insert(), _row(hold))  # type: ignore[attr-defined]
            return hold
    if (known.reason, known.scope) != (reason, scope) or known.released_at is not None:
        msg = f"hold {hold_id} exists since {known.placed_at:%Y-%m-%d} with another reason or scope, or is released; choose another id"
        raise HoldRefused(msg)
    return known


def release(engine: Engine, hold_id: str, *, by: str, at: datetime, reason: str) -> Hold:
    """Release a hold; it stays on record. Raises :class:`UnknownHold`, :class:`HoldRefused`."""
    with writing(engine) as connection:
        known = _find(connection, hold_id)
        if known is None:
            msg = f"no hold {hold_id}"
            raise UnknownHold(msg)
        if known.released_at is not None:
            msg = f"hold {hold_id} was released on {known.released_at:%Y-%m-%d} by {known.released_by}"
            raise HoldRefused(msg)
        values = {"released_by": by, "released_at": at, "release_reason": reason}
        connection.execute(update(HoldRow).where(HoldRow.hold_id == hold_id).values(values))
        return Hold(hold_id, known.reason, known.scope, known.placed_by, known.placed_at, by, at, reason)


def listing(engine: Engine, *, in_force_only: bool = False) -> Iterator[Hold]:
    """All holds, oldest first."""
    query = select(HoldRow.__table__).order_by(HoldRow.placed_at, HoldRow.hold_id)
    if in_force_only:
        query = query.where(HoldRow.released_at.is_(None))
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's documented name
    return (_hold(row) for row in rows)


def _refuse_empty(hold_id: str, reason: str, scope: Scope) -> None:
    if not reason.strip():
        msg = f"hold {hold_id}: a hold needs a reason"
        raise HoldRefused(msg)
    if scope == Scope():
        msg = f"hold {hold_id}: say what it covers (accounts, dates, kinds, text, records, a query), or that it covers everything"
        raise HoldRefused(msg)
    if scope.published_from and scope.published_until and scope.published_from >= scope.published_until:
        msg = f"hold {hold_id}: the range of publication ends before it begins"
        raise HoldRefused(msg)


def _find(connection: Connection, hold_id: str) -> Hold | None:
    row = connection.execute(select(HoldRow.__table__).where(HoldRow.hold_id == hold_id)).first()
    return None if row is None else _hold(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented name


def _row(hold: Hold) -> dict[str, object]:
    outer = {name: value for name, value in asdict(hold).items() if name != "scope"}
    scope = asdict(hold.scope)
    lists = {name: list(scope[name]) for name in ("account_ids", "kinds", "record_ids")}
    return {**outer, **scope, **lists}


def _hold(row: dict[str, Any]) -> Hold:
    scope = {name: row.pop(name) for name in Scope.__dataclass_fields__}
    scope |= {name: tuple(scope[name]) for name in ("account_ids", "kinds", "record_ids")}
    return Hold(scope=Scope(**scope), **row)
