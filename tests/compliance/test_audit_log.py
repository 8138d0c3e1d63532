from __future__ import annotations

import hashlib
import multiprocessing
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from compliance import audit_log
from compliance.faults import LogBroken
from warehouse.database import DatabaseBusy, DatabaseUnreachable, open_database, writing

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def append(engine: Engine | str, action: str = "sql.query", **detail: object) -> audit_log.Entry:
    return audit_log.append(engine, "os:clerk", action, "mart", detail, now=NOW)


def test_entries_are_read_back_in_order_as_they_were_written(engine: Engine) -> None:
    written = [append(engine, sql="SELECT 'é'", rows=3), append(engine, "accounts.approve"), append(engine)]
    assert list(audit_log.entries(engine)) == written
    assert list(audit_log.entries(engine, after=2)) == written[2:]
    assert audit_log.head(engine) == written[2]
    assert audit_log.verify(engine) == 3


def test_each_entry_covers_the_one_before(engine: Engine) -> None:
    first, second = append(engine, rows=1), append(engine, rows=2)
    assert (first.entry, first.previous_hash) == (1, "0" * 64)
    assert second.previous_hash == first.hash
    said = (
        f"{first.hash}\n"
        '{"action":"sql.query","actor":"os:clerk","at":"2026-03-01T12:00:00.000005+00:00",'
        '"detail":{"rows":2},"entry":2,"subject":"mart"}'
    )
    assert second.hash == hashlib.sha256(said.encode()).hexdigest()


def test_an_address_does_as_well_as_an_engine(engine: Engine, database_url: str) -> None:
    append(database_url, "by.address")
    append(engine, "by.engine")
    assert [one.action for one in audit_log.entries(database_url)] == ["by.address", "by.engine"]
    assert audit_log.verify(database_url) == 2


def test_appending_by_address_makes_the_tables_of_a_new_database(empty_database_url: str) -> None:
    append(empty_database_url)
    assert audit_log.verify(empty_database_url) == 1


def test_appending_by_address_does_not_import_sqlalchemy(database_url: str) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from compliance import audit_log; "
        "audit_log.append(sys.argv[1], 'os:test', 'test.act', 'x', {}, now=datetime.now(UTC)); print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, database_url], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("url", ["sqlite:////proc/none/log.db", "postgresql+pg8000://clerk:hush@127.0.0.1:1/log"])
def test_a_log_that_cannot_be_written_is_told(url: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="Check") as caught:
        append(url)
    assert "hush" not in str(caught.value)


def test_a_writer_that_never_lets_go_is_told(migrated_sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "BUSY_SECONDS", 0.01)
    with writing(migrated_sqlite_engine), pytest.raises(DatabaseBusy, match="run again"):
        append(str(migrated_sqlite_engine.url))


def test_a_moment_is_kept_in_utc(engine: Engine) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-6)))
    written = audit_log.append(engine, "os:clerk", "a", "b", {}, now=there)
    assert (written.at, written.at.tzinfo) == (NOW, UTC)


def test_processes_that_append_at_once_keep_one_chain(engine: Engine, database_url: str) -> None:
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=_append_twenty, args=(database_url,)) for _ in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert audit_log.verify(engine) == 60


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'os:nobody'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE entry = 2",
    ],
)
def test_the_database_refuses_to_change_or_remove_entries(engine: Engine, statement: str) -> None:
    append(engine)
    append(engine)
    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        _execute(engine, statement)
    assert audit_log.verify(engine) == 2


def test_sqlite_refuses_to_replace_an_entry(migrated_sqlite_engine: Engine) -> None:
    append(migrated_sqlite_engine)
    with pytest.raises(DBAPIError, match="append-only"):
        _execute(migrated_sqlite_engine, "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log")


def test_postgresql_refuses_to_empty_the_table(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    append(engine)
    with pytest.raises(DBAPIError, match="append-only"):
        _execute(engine, "TRUNCATE audit_log")
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit_log SET actor = 'os:nobody' WHERE entry = 2", "entry 2 of 2026-03-01T12:00:00.000005"),
        ("UPDATE audit_log SET detail = '{}' WHERE entry = 3", "entry 3 "),
        ("UPDATE audit_log SET at = '2020-01-01T00:00:00+00:00' WHERE entry = 1", "entry 1 "),
        ("UPDATE audit_log SET previous_hash = hash WHERE entry = 2", "entry 2 "),
        ("DELETE FROM audit_log WHERE entry = 2", "entry 2 is missing; the next one there is 3"),
        ("DELETE FROM audit_log WHERE entry = 1", "entry 1 is missing"),
    ],
)
def test_a_change_behind_the_databases_back_shows(engine: Engine, statement: str, told: str) -> None:
    for number in range(3):
        append(engine, number=number)
    _tamper(engine, statement)
    with pytest.raises(LogBroken, match=told):
        audit_log.verify(engine)


def test_entries_cut_off_at_the_end_show_against_a_head_noted_elsewhere(engine: Engine) -> None:
    append(engine)
    noted = append(engine)
    append(engine)
    assert audit_log.verify(engine, noted=(noted.entry, noted.hash)) == 3
    _tamper(engine, "DELETE FROM audit_log WHERE entry > 1")
    assert audit_log.verify(engine) == 1
    with pytest.raises(LogBroken, match=r"entry 2 with hash .* the log was cut off or rewritten"):
        audit_log.verify(engine, noted=(noted.entry, noted.hash))


def test_a_value_that_is_not_json_is_refused_and_nothing_is_written(engine: Engine) -> None:
    append(engine)
    for value in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)):
            append(engine, value=value)
    assert audit_log.verify(engine) == 1
    assert append(engine).entry == 2


def test_a_long_log_is_read_page_by_page(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PAGE_ROWS", 2)
    for number in range(5):
        append(engine, number=number)
    assert [one.entry for one in audit_log.entries(engine)] == [1, 2, 3, 4, 5]
    assert audit_log.verify(engine) == 5


def test_the_actor_is_the_operating_systems_user_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    before = audit_log.os_actor()
    monkeypatch.setenv("LOGNAME", "mayor")
    monkeypatch.setenv("USER", "mayor")
    assert audit_log.os_actor() == before != "os:mayor"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    detail=st.dictionaries(st.text(), _JSON, max_size=4),
    subject=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_any_detail_and_subject_keep_the_chain_whole(
    migrated_sqlite_engine: Engine, detail: dict[str, object], subject: str
) -> None:
    audit_log.append(migrated_sqlite_engine, "os:clerk", "a", subject, detail, now=NOW)
    audit_log.verify(migrated_sqlite_engine)


@pytest.fixture
def migrated_sqlite_engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'log.db'}")


def _append_twenty(url: str) -> None:
    for number in range(20):
        append(url, number=number)


def _execute(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        connection.execute(text(statement))


def _tamper(engine: Engine, statement: str) -> None:
    """Change the table as somebody could who owns the database."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in ("no_update", "no_delete", "no_replace"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_log_{name}"))
        connection.execute(text(statement))
