"""Leases: one process at a time captures an account, and a dead one does not block it.

A lease names its holder: machine, process and when that process began. It can be taken over once the process is gone (seen
only on the same machine) or once it was not renewed in time (seen from anywhere).
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from sqlalchemy import Engine, Text, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.database import Base, UtcDateTime, writing
from warehouse.faults import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Connection

LEASE_SECONDS = 900.0


class AccountBusy(WarehouseError):
    """Another process captures the account. Wait for it; a dead one is taken over by itself."""

    code = "account_busy"


class LeaseLost(AccountBusy):
    """The lease ran out and another process took it over: stop."""

    code = "lease_lost"


class LeaseRow(Base):
    """Table ``leases``: who captures an account now."""

    __tablename__ = "leases"
    account_id: Mapped[str] = mapped_column(Text, primary_key=True)
    token: Mapped[str] = mapped_column(Text)
    machine: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    process_began: Mapped[str] = mapped_column(Text)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to capture an account until ``expires_at``."""

    account_id: str
    token: str
    machine: str
    pid: int
    process_began: str
    taken_at: datetime
    expires_at: datetime


@contextmanager
def leased(
    engine: Engine, account_id: str, *, clock: Callable[[], datetime], seconds: float = LEASE_SECONDS
) -> Iterator[Callable[[], None]]:
    """Hold the account's lease. Gives a function to call now and then, which renews it.

    Raises :class:`AccountBusy`; the function given raises :class:`LeaseLost`.
    """
    lease = take(engine, account_id, now=clock(), seconds=seconds)
    try:
        yield lambda: renew(engine, lease, now=clock(), seconds=seconds)
    finally:
        release(engine, lease)


def take(engine: Engine, account_id: str, *, now: datetime, seconds: float = LEASE_SECONDS) -> Lease:
    """Take the account's lease. Raises :class:`AccountBusy` while a living process holds it."""
    lease = Lease(
        account_id=account_id,
        token=token_hex(8),
        machine=_machine(),
        pid=os.getpid(),
        process_began=_began(os.getpid()) or "",
        taken_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
    try:
        with writing(engine) as connection:
            query = select(LeaseRow.__table__).where(LeaseRow.account_id == account_id).with_for_update()
            row = connection.execute(query).first()
            if row is not None:
                held = Lease(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
                if _alive(held, now):
                    raise AccountBusy(_told(held))
                connection.execute(delete(LeaseRow).where(LeaseRow.account_id == account_id))
            connection.execute(LeaseRow.__table__.insert(), asdict(lease))  # type: ignore[attr-defined]
    except IntegrityError:
        msg = f"{account_id} was taken by another process this moment; it is being captured"
        raise AccountBusy(msg) from None
    return lease


def renew(engine: Engine, lease: Lease, *, now: datetime, seconds: float = LEASE_SECONDS) -> None:
    """Hold the lease longer. Raises :class:`LeaseLost`."""
    mine = (LeaseRow.account_id == lease.account_id) & (LeaseRow.token == lease.token)
    with writing(engine) as connection:
        done = connection.execute(update(LeaseRow).where(mine).values(expires_at=now + timedelta(seconds=seconds)))
    if done.rowcount == 0:
        msg = f"the lease on {lease.account_id} ran out and another process goes on with it; this one stops"
        raise LeaseLost(msg)


def release(engine: Engine, lease: Lease) -> None:
    """Give the lease back; one that was lost is left alone."""
    with writing(engine) as connection:
        connection.execute(
            delete(LeaseRow).where(LeaseRow.account_id == lease.account_id, LeaseRow.token == lease.token)
        )


def busy_accounts(connection: Connection, account_ids: Sequence[str], *, now: datetime) -> set[str]:
    """Which of these accounts a living process captures now."""
    query = select(LeaseRow.__table__).where(LeaseRow.account_id.in_(account_ids))
    leases = (Lease(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - SQLAlchemy's documented name
    return {lease.account_id for lease in leases if _alive(lease, now)}


def _alive(lease: Lease, now: datetime) -> bool:
    if lease.expires_at <= now:
        return False
    return lease.machine != _machine() or _began(lease.pid) == lease.process_began


def _told(lease: Lease) -> str:
    return (
        f"{lease.account_id} is being captured since {lease.taken_at:%Y-%m-%d %H:%M:%S} UTC by process {lease.pid} "
        f"on {lease.machine.partition('/')[0]}; wait for it to end"
    )


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}"


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks: a reused number is another process. ``None``: gone, or a zombie."""
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in ("Z", "X") else numbers[18]
