from __future__ import annotations

import multiprocessing
import multiprocessing.process
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, update

from warehouse import lease
from warehouse.database import open_database, writing
from warehouse.lease import AccountBusy, LeaseLost, LeaseRow

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = "bluesky:did:plc:a"


@pytest.fixture
def other(database_url: str) -> Iterator[multiprocessing.process.BaseProcess]:
    """Another process that holds the lease."""
    fork = multiprocessing.get_context("fork")
    held = fork.SimpleQueue()
    process = fork.Process(target=_hold, args=(database_url, held))
    process.start()
    held.get()
    yield process
    process.kill()
    process.join()


def test_two_captures_of_one_account_at_once_are_refused(
    engine: Engine, other: multiprocessing.process.BaseProcess
) -> None:
    with pytest.raises(
        AccountBusy, match=f"{ACCOUNT} is being captured since 2026-03-01 12:00:00 UTC by process {other.pid}"
    ):
        lease.take(engine, ACCOUNT, now=NOON)
    with engine.connect() as connection:
        assert lease.busy_accounts(connection, [ACCOUNT, "bluesky:b"], now=NOON) == {ACCOUNT}


def test_the_lease_of_a_killed_process_is_taken_over_at_once(
    engine: Engine, other: multiprocessing.process.BaseProcess
) -> None:
    other.kill()
    other.join()
    assert lease.take(engine, ACCOUNT, now=NOON).account_id == ACCOUNT


def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_is_told(engine: Engine) -> None:
    late = NOON + timedelta(seconds=lease.LEASE_SECONDS)
    first = lease.take(engine, ACCOUNT, now=NOON)
    second = lease.take(engine, ACCOUNT, now=late)
    with pytest.raises(LeaseLost, match="another process goes on"):
        lease.renew(engine, first, now=late)
    lease.release(engine, first)
    lease.renew(engine, second, now=late)


def test_a_renewed_lease_lasts_longer(engine: Engine) -> None:
    taken = lease.take(engine, ACCOUNT, now=NOON)
    lease.renew(engine, taken, now=NOON + timedelta(minutes=10))
    with pytest.raises(AccountBusy):
        lease.take(engine, ACCOUNT, now=NOON + timedelta(minutes=20))


def test_a_lease_from_another_machine_counts_until_it_runs_out(engine: Engine) -> None:
    taken = lease.take(engine, ACCOUNT, now=NOON)
    with writing(engine) as connection:
        connection.execute(update(LeaseRow).values(machine="elsewhere/1", pid=1, process_began="1"))
    with pytest.raises(AccountBusy, match="on elsewhere"):
        lease.take(engine, ACCOUNT, now=NOON)
    lease.take(engine, ACCOUNT, now=taken.expires_at)


def test_a_number_reused_by_another_process_is_not_the_holder(engine: Engine) -> None:
    lease.take(engine, ACCOUNT, now=NOON)
    with writing(engine) as connection:
        connection.execute(update(LeaseRow).values(process_began="1"))
    lease.take(engine, ACCOUNT, now=NOON)


def test_the_lease_is_given_back_also_after_a_failure(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        _hold_and_fail(engine)
    lease.take(engine, ACCOUNT, now=NOON)


def _hold(url: str, held: Any) -> None:
    lease.take(open_database(url), ACCOUNT, now=NOON)
    held.put(None)
    time.sleep(600)


def _hold_and_fail(engine: Engine) -> None:
    with lease.leased(engine, ACCOUNT, clock=lambda: NOON) as renew:
        renew()
        raise ZeroDivisionError
