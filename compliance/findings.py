"""Findings: what is wrong now, since when, and what was wrong before.

A detector states conditions; :func:`settle` opens a finding for each new one, refreshes those that last and closes those that
vanished. At most one finding is open for a code, account and subject. Who was told is in :mod:`compliance.finding_deliveries`.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Engine, Index, Select, Text, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from compliance.finding_codes import KINDS, SEVERITIES
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.engine import Connection

    from compliance.accounts import Account
    from compliance.policy_findings import Severity

LONGEST_TEXT = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class FindingRow(Base):
    """Table ``findings``: at most one open finding per key."""

    __tablename__ = "findings"
    finding_id: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    account_id: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    advice: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


Index(
    "uq_findings_open",
    FindingRow.key,
    unique=True,
    sqlite_where=FindingRow.closed_at.is_(None),
    postgresql_where=FindingRow.closed_at.is_(None),
)
Index("ix_findings_key_closed", FindingRow.key, FindingRow.closed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now, as a detector states it. :func:`condition` makes one."""

    code: str
    severity: Severity
    account_id: str | None
    subject: str
    """What it is about: the account's name, a call of a platform, the mart."""
    message: str
    advice: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    """JSON values."""

    @property
    def key(self) -> str:
        """What makes it the same finding as another."""
        return "\n".join((self.code, self.account_id or "", self.subject))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is or was wrong; open while ``closed_at`` is ``None``."""

    finding_id: str
    code: str
    severity: Severity
    account_id: str | None
    subject: str
    key: str
    message: str
    advice: str
    detail: Mapping[str, Any]
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement changed."""

    opened: int
    closed: int
    standing: int
    """Open before and still."""


def condition(
    code: str,
    message: str,
    *,
    account: Account | None = None,
    subject: str | None = None,
    severity: Severity | None = None,
    **detail: Any,  # noqa: ANN401 - JSON values
) -> Condition:
    """A condition of a known code. What a platform said may be in message and detail: it is cut and freed of control characters.

    ``subject`` is the account's name where it is not given. Facts of ``detail`` fill the places in the code's advice.
    """
    kind = KINDS[code]
    name = account.name if account else ""
    facts = defaultdict(str, {key: str(value) for key, value in detail.items()}, account=name)
    if account is not None:
        facts["credential"] = account.credential or "of the account"
    return Condition(
        code=code,
        severity=severity or kind.severity,
        account_id=account.account_id if account else None,
        subject=subject or name,
        message=tidy(message),
        advice=tidy(kind.advice.format_map(facts)),
        detail=detail,
    )


def tidy(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text on one line and not too long."""
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def settle(
    engine: Engine, conditions: Iterable[Condition], now: datetime, *, codes: Collection[str] | None = None
) -> Settled:
    """Bring the findings in line with what is wrong now. Repeating it changes nothing but ``last_seen_at``.

    ``codes`` are those that were looked for (all by default): findings of other codes stay as they are. What was seen after
    ``now``, by a settlement that overtook this one, is not closed.
    """
    wanted = {one.key: one for one in conditions}
    looked_for = set(KINDS if codes is None else codes)
    strange = {one.code for one in wanted.values()} - looked_for
    if strange:
        msg = f"conditions of codes that were not looked for: {', '.join(sorted(strange))}"
        raise ValueError(msg)
    with writing(engine) as connection:
        known = {one.key: one for one in _open(connection) if one.code in looked_for}
        for key in wanted.keys() & known.keys():
            _refresh(connection, known[key], wanted[key], now)
        opened = sum(_insert(connection, wanted[key], now) for key in sorted(wanted.keys() - known.keys()))
        gone = [one for key, one in known.items() if key not in wanted and one.last_seen_at <= now]
        for one in gone:
            connection.execute(update(FindingRow).where(FindingRow.finding_id == one.finding_id).values(closed_at=now))
    return Settled(opened, len(gone), len(wanted.keys() & known.keys()))


def listing(engine: Engine, *, open_only: bool = True) -> list[Finding]:
    """Findings, the gravest first, of equal ones the oldest; with ``open_only=False`` also those that are closed."""
    with engine.connect() as connection:
        found = _open(connection) if open_only else _all(connection)
    return sorted(
        found, key=lambda one: (one.closed_at is not None, -SEVERITIES.index(one.severity), one.opened_at, one.key)
    )


def grave(findings: Iterable[Finding]) -> list[Finding]:
    """Those open with severity error or worse."""
    least = SEVERITIES.index("error")
    return [one for one in findings if one.closed_at is None and SEVERITIES.index(one.severity) >= least]


def _refresh(connection: Connection, known: Finding, wanted: Condition, now: datetime) -> None:
    values = {**_said(wanted), "last_seen_at": max(now, known.last_seen_at)}
    connection.execute(update(FindingRow).where(FindingRow.finding_id == known.finding_id).values(values))


def _insert(connection: Connection, wanted: Condition, now: datetime) -> bool:
    """Open a finding, unless another process has opened the same one meanwhile."""
    row = {
        **_said(wanted),
        "finding_id": f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}",
        "code": wanted.code,
        "account_id": wanted.account_id,
        "subject": wanted.subject,
        "key": wanted.key,
        "opened_at": now,
        "last_seen_at": now,
        "closed_at": None,
    }
    return insert_unless_there(connection, FindingRow, row)


def insert_unless_there(connection: Connection, table: type[Base], row: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique index holds an equal one. Returns whether it was inserted."""
    into = Base.metadata.tables[table.__tablename__]
    made = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(into)
    query = made.values(dict(row)).on_conflict_do_nothing().returning(*into.primary_key.columns)
    return connection.execute(query).first() is not None


def _said(wanted: Condition) -> dict[str, Any]:
    return {
        "severity": wanted.severity,
        "message": wanted.message,
        "advice": wanted.advice,
        "detail": dict(wanted.detail),
    }


def _open(connection: Connection) -> list[Finding]:
    return _rows(connection, select(FindingRow.__table__).where(FindingRow.closed_at.is_(None)))


def _all(connection: Connection) -> list[Finding]:
    return _rows(connection, select(FindingRow.__table__))


def _rows(connection: Connection, query: Select[Any]) -> list[Finding]:
    return [Finding(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's documented name
