"""Who was told of which finding: each channel once, and again only where it did not arrive.

A channel claims what it is about to tell, tells it, and notes that it arrived. A claim that is not followed by a note, because
the process died, lapses; then the finding is told by the next.

::

    ComplianceError
    └── NotTaken    a channel did not take a message    mend what it says; the next run tries again
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine, ForeignKey, Text, exists, func, or_, select, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from compliance.faults import ComplianceError
from compliance.finding_codes import SEVERITIES
from compliance.findings import Finding, FindingRow, insert_unless_there, tidy
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from compliance.policy_findings import Severity

CLAIMED_FOR = timedelta(minutes=10)
AT_ONCE = 50
"""Findings told in one message: the gravest first, the others in the next."""


class NotTaken(ComplianceError):
    """A channel did not take a message. The text says why, without a secret."""


class DeliveryRow(Base):
    """Table ``finding_deliveries``."""

    __tablename__ = "finding_deliveries"
    finding_id: Mapped[str] = mapped_column(ForeignKey("findings.finding_id"), primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    problem: Mapped[str | None] = mapped_column(Text)


def claim(engine: Engine, channel: str, *, minimum: Severity, quiet: timedelta, now: datetime) -> list[Finding]:
    """Open findings this channel has not been told of, the gravest first; nobody else is given them meanwhile.

    Left out is what shouted before and closed less than ``quiet`` ago: a condition that comes and goes shouts once in that time.
    """
    grave_enough = SEVERITIES[SEVERITIES.index(minimum) :]
    with writing(engine) as connection:
        query = select(FindingRow.__table__).where(
            FindingRow.closed_at.is_(None), FindingRow.severity.in_(grave_enough), ~_told_lately(channel, now - quiet)
        )
        found = [Finding(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's documented name
        found.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.opened_at, one.key))
        mine: list[Finding] = []
        for one in found:
            if len(mine) < AT_ONCE and _claimed(connection, one.finding_id, channel, now):
                mine.append(one)
    return mine


def delivered(engine: Engine, channel: str, findings: Sequence[Finding], *, at: datetime) -> None:
    """Note that the channel took them."""
    with writing(engine) as connection:
        values = {"delivered_at": at, "claimed_until": None, "problem": None}
        connection.execute(update(DeliveryRow).where(_those(channel, findings)).values(values))


def failed(engine: Engine, channel: str, findings: Sequence[Finding], *, problem: str) -> None:
    """Note that the channel did not take them: the next run tries again."""
    with writing(engine) as connection:
        values = {"claimed_until": None, "problem": tidy(problem)}
        connection.execute(update(DeliveryRow).where(_those(channel, findings)).values(values))


def told(engine: Engine) -> dict[str, datetime]:
    """Finding -> when the first channel was told of it."""
    query = (
        select(DeliveryRow.finding_id, func.min(DeliveryRow.delivered_at))
        .where(DeliveryRow.delivered_at.is_not(None))
        .group_by(DeliveryRow.finding_id)
    )
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query) if row[1]}


def _told_lately(channel: str, since: datetime) -> ColumnElement[bool]:
    before, delivery = aliased(FindingRow), aliased(DeliveryRow)
    return exists(
        select(1)
        .select_from(before)
        .join(delivery, delivery.finding_id == before.finding_id)
        .where(
            before.key == FindingRow.key,
            before.closed_at > since,
            delivery.channel == channel,
            delivery.delivered_at.is_not(None),
        )
        .correlate(FindingRow)
    )


def _claimed(connection: Connection, finding_id: str, channel: str, now: datetime) -> bool:
    mine = (DeliveryRow.finding_id == finding_id) & (DeliveryRow.channel == channel)
    free = DeliveryRow.delivered_at.is_(None) & or_(
        DeliveryRow.claimed_until.is_(None), DeliveryRow.claimed_until <= now
    )
    again = {"claimed_until": now + CLAIMED_FOR, "attempts": DeliveryRow.attempts + 1}
    taken = update(DeliveryRow).where(mine, free).values(again).returning(DeliveryRow.finding_id)
    if connection.execute(taken).first() is not None:
        return True
    row = {
        "finding_id": finding_id,
        "channel": channel,
        "claimed_until": now + CLAIMED_FOR,
        "delivered_at": None,
        "attempts": 1,
        "problem": None,
    }
    return insert_unless_there(connection, DeliveryRow, row)


def _those(channel: str, findings: Iterable[Finding]) -> ColumnElement[bool]:
    return (DeliveryRow.channel == channel) & DeliveryRow.finding_id.in_([one.finding_id for one in findings])
