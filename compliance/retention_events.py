"""What starts a period that does not run from publication: a matter was closed, a state was superseded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Date, Engine, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

Event = Literal["closed", "superseded"]


class RetentionEventRow(Base):
    """Table ``retention_events``."""

    __tablename__ = "retention_events"
    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    event: Mapped[str] = mapped_column(Text, primary_key=True)
    occurred_on: Mapped[date] = mapped_column(Date)
    noted_by: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class RetentionEvent:
    """A matter was closed, or a state superseded, on a day."""

    record_id: str
    event: Event
    occurred_on: date
    noted_by: str
    noted_at: datetime
    reason: str


def note(engine: Engine, event: RetentionEvent) -> RetentionEvent:
    """Note an event; the first date noted for a record stands. Returns what is on record."""
    same = (RetentionEventRow.record_id == event.record_id) & (RetentionEventRow.event == event.event)
    with writing(engine) as connection:
        row = connection.execute(select(RetentionEventRow.__table__).where(same)).first()
        if row is not None:
            return RetentionEvent(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
        connection.execute(RetentionEventRow.__table__.insert(), asdict(event))  # type: ignore[attr-defined]
    return event


def listing(engine: Engine) -> Iterator[RetentionEvent]:
    """All events by record."""
    query = select(RetentionEventRow.__table__).order_by(RetentionEventRow.record_id, RetentionEventRow.event)
    with engine.connect() as connection:
        yield from (RetentionEvent(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - documented name
