"""The registry: which accounts the City supports, who answers for them, who decided, and what may be captured.

An account's status is that of its newest decision. Loading ``policy/accounts.yaml`` adds the decisions it states and never
overrules one taken later; nothing is ever removed.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Engine, ForeignKey, Index, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from compliance.faults import AccountExists, NotApproved, UnknownAccount
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from compliance.policy import Accounts, PolicyAccount

CAPTURABLE = frozenset({"approved", "active"})


class AccountRow(Base):
    """Table ``accounts``."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("platform", "native_id"),)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    platform: Mapped[str] = mapped_column(Text)
    native_id: Mapped[str] = mapped_column(Text)
    handle: Mapped[str] = mapped_column(Text)
    service: Mapped[str] = mapped_column(Text)
    department: Mapped[str | None] = mapped_column(Text)
    office: Mapped[str | None] = mapped_column(Text)
    head: Mapped[str | None] = mapped_column(Text)
    credential: Mapped[str | None] = mapped_column(Text)
    credential_expires: Mapped[date | None] = mapped_column(Date)
    retention: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DecisionRow(Base):
    """Table ``account_decisions``: append-only."""

    __tablename__ = "account_decisions"
    __table_args__ = (Index("ix_account_decisions_account", "account", "decided_at"),)
    decision_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name"))
    status: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)


class AssignmentRow(Base):
    """Table ``account_assignments``: who works with an account, from when until when."""

    __tablename__ = "account_assignments"
    __table_args__ = (UniqueConstraint("account", "person", "role", "assigned_from"),)
    assignment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name"))
    person: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    assigned_from: Mapped[date] = mapped_column(Date)
    assigned_until: Mapped[date | None] = mapped_column(Date)


_ALL_DECISIONS = select(
    DecisionRow.account, DecisionRow.status, DecisionRow.decided_by, DecisionRow.decided_at, DecisionRow.reason
).order_by(DecisionRow.decided_at, DecisionRow.decision_id)
_ALL_ASSIGNMENTS = select(
    AssignmentRow.account,
    AssignmentRow.person,
    AssignmentRow.role,
    AssignmentRow.assigned_from,
    AssignmentRow.assigned_until,
).order_by(AssignmentRow.assigned_from, AssignmentRow.assignment_id)


@dataclass(frozen=True, slots=True)
class Account:
    """A City-supported account."""

    name: str
    title: str
    platform: str
    native_id: str
    """The platform's immutable id."""
    handle: str
    service: str
    """Host name of the server it lives on."""
    department: str | None
    office: str | None
    head: str | None
    credential: str | None
    """Name of its secret; see :mod:`compliance.credentials`."""
    retention: str | None
    """Series of its records that no rule matches."""
    status: str
    """proposed, approved, active (approved, and captured before) or deactivated."""
    registered_at: datetime
    """When it entered the registry."""
    credential_expires: date | None = None
    """Last day on which its credential works, where that is known."""

    @property
    def account_id(self) -> str:
        """``platform:native_id``, as tables and the ledger name it."""
        return f"{self.platform}:{self.native_id}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on an account's status."""

    status: str
    decided_by: str
    decided_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who works with an account, both days included; ``assigned_until`` is ``None`` while it lasts."""

    person: str
    role: str
    assigned_from: date
    assigned_until: date | None


@dataclass(frozen=True, slots=True)
class Details:
    """An account with its history, oldest first."""

    account: Account
    decisions: tuple[Decision, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did, by name. ``absent`` are registered accounts the file does not name: they stay as they are."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    absent: tuple[str, ...]


def load(engine: Engine, file: Accounts, *, now: datetime) -> Loaded:
    """Bring the registry in line with ``accounts.yaml``, all or nothing. Repeating it changes nothing.

    Raises :class:`AccountExists` where a name or a platform id would change hands.
    """
    done: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
    with writing(engine) as connection:
        before = {one.name: one for one in _accounts(connection)}
        for stated in file.accounts:
            done[_load_one(connection, before.get(stated.name), stated, now)].append(stated.name)
    named = {name for names in done.values() for name in names}
    absent = tuple(sorted(before.keys() - named))
    return Loaded(tuple(done["added"]), tuple(done["changed"]), tuple(done["unchanged"]), absent)


def add_proposed(
    engine: Engine,
    *,
    name: str,
    platform: str,
    native_id: str,
    handle: str,
    service: str,
    by: str,
    at: datetime,
    reason: str = "added by hand",
    title: str | None = None,
    department: str | None = None,
    office: str | None = None,
    credential: str | None = None,
) -> Account:
    """Register an account as proposed: nothing is captured before it is approved. Raises :class:`AccountExists`."""
    account = Account(
        name=name,
        title=title or handle,
        platform=platform,
        native_id=native_id,
        handle=handle,
        service=service,
        department=department,
        office=office,
        head=None,
        credential=credential,
        retention=None,
        status="proposed",
        registered_at=at,
    )
    with writing(engine) as connection:
        _refuse_taken(connection, account)
        _insert(connection, account)
        _decide(connection, name, Decision("proposed", by, at, reason))
    return account


def approve(engine: Engine, name: str, *, by: str, at: datetime, reason: str) -> Account:
    """Approve an account for capture. Approving it again changes nothing. Raises :class:`UnknownAccount`."""
    return _change(engine, name, Decision("approved", by, at, reason), unless=CAPTURABLE)


def deactivate(engine: Engine, name: str, *, by: str, at: datetime, reason: str) -> Account:
    """End the capture of an account; what was captured stays. Raises :class:`UnknownAccount`."""
    return _change(engine, name, Decision("deactivated", by, at, reason), unless=frozenset({"deactivated"}))


def activate(engine: Engine, name: str, *, at: datetime) -> Account:
    """Note that an approved account was captured. Raises :class:`UnknownAccount`, :class:`NotApproved`."""
    account = require_approved(engine, name)
    if account.status == "active":
        return account
    return _change(
        engine, name, Decision("active", "onrecord", at, "first capture complete"), unless=frozenset({"active"})
    )


def get(engine: Engine, name: str) -> Account:
    """The account of that name. Raises :class:`UnknownAccount`, with the closest names."""
    with engine.connect() as connection:
        return _get(connection, name)


def require_approved(engine: Engine, name: str) -> Account:
    """The account, if it may be captured. Raises :class:`UnknownAccount`, :class:`NotApproved`."""
    account = get(engine, name)
    if account.status not in CAPTURABLE:
        msg = (
            f"account {name} is {account.status}, not approved, so nothing of it is captured. "
            f"If the City supports it: onrecord accounts approve {name} --by WHO --reason WHY"
        )
        raise NotApproved(msg)
    return account


def listing(engine: Engine, *, capturable_only: bool = False) -> Iterator[Account]:
    """All accounts by name; with ``capturable_only`` those that may be captured."""
    with engine.connect() as connection:
        accounts = _accounts(connection)
    return (one for one in accounts if not capturable_only or one.status in CAPTURABLE)


def details(engine: Engine, name: str) -> Details:
    """The account with its decisions and assignments. Raises :class:`UnknownAccount`."""
    with engine.connect() as connection:
        account = _get(connection, name)
        return Details(account, _decisions(connection, name), _assignments(connection, name))


def all_details(engine: Engine) -> list[Details]:
    """Every account with its decisions and assignments, by name."""
    with engine.connect() as connection:
        known = _accounts(connection)
        made: dict[str, list[Decision]] = {one.name: [] for one in known}
        held: dict[str, list[Assignment]] = {one.name: [] for one in known}
        for row in connection.execute(_ALL_DECISIONS):
            made[row.account].append(Decision(*row[1:]))
        for one in connection.execute(_ALL_ASSIGNMENTS):
            held[one.account].append(Assignment(*one[1:]))
    return [Details(one, tuple(made[one.name]), tuple(held[one.name])) for one in known]


def _change(engine: Engine, name: str, decision: Decision, *, unless: frozenset[str]) -> Account:
    with writing(engine) as connection:
        account = _get(connection, name)
        if account.status not in unless:
            _decide(connection, name, decision)
        return _get(connection, name)


def _decide(connection: Connection, name: str, decision: Decision) -> None:
    """Append a decision and let the newest one rule; of two at the same moment, the one written last."""
    row = {"account": name, **_fields(decision)}
    connection.execute(DecisionRow.__table__.insert(), row)  # type: ignore[attr-defined]
    newest = _decisions(connection, name)[-1]
    connection.execute(update(AccountRow).where(AccountRow.name == name).values(status=newest.status))


def _load_one(connection: Connection, before: Account | None, stated: PolicyAccount, now: datetime) -> str:
    wanted = _stated(stated, before, now)
    if before is None:
        _refuse_taken(connection, wanted)
        _insert(connection, wanted)
    elif (before.platform, before.native_id) != (wanted.platform, wanted.native_id):
        msg = f"account {before.name} is {before.account_id} in the registry, the file says {wanted.account_id}; an account's id never changes: register another name"
        raise AccountExists(msg)
    elif before != wanted:
        connection.execute(update(AccountRow).where(AccountRow.name == before.name).values(_fields(wanted)))
    news = before != wanted
    news |= _load_decision(connection, stated)
    news |= _load_assignments(connection, stated)
    if before is None:
        return "added"
    return "changed" if news else "unchanged"


def _stated(stated: PolicyAccount, before: Account | None, now: datetime) -> Account:
    return Account(
        name=stated.name,
        title=stated.title,
        platform=stated.platform,
        native_id=stated.id,
        handle=stated.handle,
        service=stated.service,
        department=stated.department,
        office=stated.office,
        head=stated.head,
        credential=stated.credential,
        credential_expires=stated.credential_expires,
        retention=stated.retention,
        status=before.status if before else stated.status,
        registered_at=before.registered_at if before else now,
    )


def _load_decision(connection: Connection, stated: PolicyAccount) -> bool:
    decision = Decision(
        status=stated.status,
        decided_by=stated.decision.by,
        decided_at=datetime.combine(stated.decision.date, time(), UTC),
        reason=stated.decision.reason,
    )
    if decision in _decisions(connection, stated.name):
        return False
    _decide(connection, stated.name, decision)
    return True


def _load_assignments(connection: Connection, stated: PolicyAccount) -> bool:
    known = _assignments(connection, stated.name)
    news = False
    for holder in stated.holders:
        wanted = Assignment(holder.person, holder.role, holder.start, holder.until)
        if wanted in known:
            continue
        same = (
            (AssignmentRow.account == stated.name)
            & (AssignmentRow.person == holder.person)
            & (AssignmentRow.role == holder.role)
            & (AssignmentRow.assigned_from == holder.start)
        )
        done = connection.execute(update(AssignmentRow).where(same).values(assigned_until=holder.until))
        if done.rowcount == 0:
            row = {"account": stated.name, **_fields(wanted)}
            connection.execute(AssignmentRow.__table__.insert(), row)  # type: ignore[attr-defined]
        news = True
    return news


def _insert(connection: Connection, account: Account) -> None:
    connection.execute(AccountRow.__table__.insert(), _fields(account))  # type: ignore[attr-defined]


def _refuse_taken(connection: Connection, account: Account) -> None:
    same = (AccountRow.platform == account.platform) & (AccountRow.native_id == account.native_id)
    query = select(AccountRow.name, AccountRow.status).where((AccountRow.name == account.name) | same)
    row = connection.execute(query).first()
    if row is None:
        return
    what = f"the name {account.name}" if row.name == account.name else account.account_id
    msg = f"{what} is taken by the registered account {row.name} ({row.status}); see: onrecord accounts show {row.name}"
    raise AccountExists(msg)


def _get(connection: Connection, name: str) -> Account:
    row = connection.execute(select(AccountRow.__table__).where(AccountRow.name == name)).first()
    if row is not None:
        return Account(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
    names = list(connection.execute(select(AccountRow.name)).scalars())
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "onrecord accounts list shows those there are."
    msg = f"no account is registered as {name}. {hint}"
    raise UnknownAccount(msg)


def _accounts(connection: Connection) -> list[Account]:
    rows = connection.execute(select(AccountRow.__table__).order_by(AccountRow.name))
    return [Account(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name


def _decisions(connection: Connection, name: str) -> tuple[Decision, ...]:
    rows = connection.execute(_ALL_DECISIONS.where(DecisionRow.account == name))
    return tuple(Decision(*row[1:]) for row in rows)


def _assignments(connection: Connection, name: str) -> tuple[Assignment, ...]:
    rows = connection.execute(_ALL_ASSIGNMENTS.where(AssignmentRow.account == name))
    return tuple(Assignment(*row[1:]) for row in rows)


def _fields(value: Account | Decision | Assignment) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
