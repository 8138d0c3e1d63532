from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import Engine, create_engine, delete, inspect, select, text

import compliance
from warehouse import backfills, ledger
from warehouse.database import (
    Base,
    DatabaseBusy,
    DatabaseUnknown,
    DatabaseUnreachable,
    UtcDateTime,
    open_database,
    revision,
    writing,
)
from warehouse.faults import DiskFull
from warehouse.ledger_rows import CaptureRow
from warehouse.migrations import HEAD
from warehouse.migrations.upgrade import config

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_newest_revision_is_the_one_the_program_expects(engine: Engine) -> None:
    with engine.connect() as connection:
        assert ScriptDirectory.from_config(config(connection)).get_heads() == [HEAD]


def test_the_revisions_make_the_tables_the_code_declares(engine: Engine) -> None:
    for module in pkgutil.iter_modules(compliance.__path__, "compliance."):
        importlib.import_module(module.name)

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in Base.metadata.tables

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": ours})
        assert compare_metadata(context, Base.metadata) == []


def test_a_backfill_of_an_earlier_revision_goes_on_where_it_was(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(config(connection), "0004")
        connection.execute(
            text("INSERT INTO backfills VALUES ('x:1', :places, :noon, :noon, NULL, NULL, 3, 250, NULL)"),
            {"places": '{"posts": {"cursor": "p3"}, "comments": null}', "noon": NOON.replace(tzinfo=None)},
        )
    engine.dispose()
    engine = open_database(empty_database_url)
    state = backfills.get(engine, "x:1")
    engine.dispose()
    assert state is not None
    assert state.waiting == ["posts"]
    assert state.listings["posts"].place == {"cursor": "p3"}
    assert (state.slices, state.items) == (3, 250)


def test_tables_of_the_iceberg_catalog_in_the_same_database_are_left_alone(empty_database_url: str) -> None:
    SqlCatalog("archive", uri=empty_database_url, warehouse="file:///nowhere").create_namespace("archive")
    engine = open_database(empty_database_url)
    assert {"iceberg_tables", "captures"} <= set(inspect(engine).get_table_names())
    assert SqlCatalog("archive", uri=empty_database_url, warehouse="file:///nowhere").list_namespaces() == [
        ("archive",)
    ]
    engine.dispose()


def test_opening_an_up_to_date_database_does_not_import_alembic(database_url: str) -> None:
    open_database(database_url).dispose()
    code = "import sys; from warehouse.database import open_database; open_database(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, database_url], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_several_processes_may_open_a_new_database_at_once(empty_database_url: str) -> None:
    fork = multiprocessing.get_context("fork")
    found = fork.SimpleQueue()
    running = [fork.Process(target=_open_and_tell, args=(empty_database_url, found)) for _ in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [found.get() for process in running if process.exitcode == 0] == [HEAD] * 4


def test_a_moment_is_read_back_as_the_same_moment_in_utc(engine: Engine) -> None:
    elsewhere = datetime(2026, 3, 1, 6, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-6)))
    begun = _capture(engine, elsewhere)
    read = ledger.get_capture(engine, begun.capture_id).started_at
    assert read == elsewhere
    assert read.tzinfo is UTC


def test_a_moment_without_zone_is_refused(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(Exception, match="has no zone"):
        connection.execute(select(text("1")).where(CaptureRow.started_at == datetime(2026, 3, 1)))  # noqa: DTZ001


def test_moments_are_kept_in_utc_without_zone_where_the_database_has_none(tmp_path: Path) -> None:
    kind, dialect = UtcDateTime(), open_database(f"sqlite:///{tmp_path / 'a.db'}").dialect
    assert kind.process_bind_param(NOON.astimezone(timezone(timedelta(hours=9))), dialect) == NOON.replace(tzinfo=None)


def test_a_failed_write_leaves_nothing_behind(engine: Engine) -> None:
    begun = _capture(engine, NOON)
    with pytest.raises(ZeroDivisionError):
        _delete_and_fail(engine)
    assert ledger.get_capture(engine, begun.capture_id) == begun


def test_sqlite_lets_readers_go_on_waits_for_writers_and_checks_references(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", 30000, 1]


def test_a_database_of_a_later_version_is_refused(empty_database_url: str) -> None:
    engine = open_database(empty_database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseUnknown, match="upgrade the program"):
        open_database(empty_database_url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+pg8000://clerk:hush-hush@127.0.0.1:1/archive", "clerk:\\*\\*\\*@127.0.0.1:1/archive"),
        ("mysql://clerk:hush-hush@127.0.0.1/archive", "only SQLite and PostgreSQL"),
        ("hush-hush", "not an SQLAlchemy URL"),
        ("sqlite:////proc/hush/archive.db", "/proc/hush"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_its_password(url: str, told: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=told) as caught:
        open_database(url)
    assert "hush-hush" not in str(caught.value)


def test_a_full_disk_is_told_and_nothing_is_half_done(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    begun = _capture(engine, NOON)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(DiskFull, match="no space left; make room and run again"):
        ledger.checkpoint(
            engine, begun.capture_id, ledger.Progress(1, 1, None, {}, {"cursor": "c" * 100_000}), now=NOON
        )
    assert ledger.get_capture(engine, begun.capture_id) == begun


def test_a_writer_that_never_lets_go_is_told(tmp_path: Path) -> None:
    engine, other = (open_database(f"sqlite:///{tmp_path / 'a.db'}") for _ in range(2))
    with engine.connect() as connection:
        connection.execute(text("PRAGMA busy_timeout = 1"))
    with writing(other), pytest.raises(DatabaseBusy, match="another process wrote for more than 30 s"):
        _capture(engine, NOON)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("minutes of the council meeting" * 100)
    with pytest.raises(DatabaseUnreachable, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'a.db'}")


def test_a_server_that_went_away_is_told(postgres_url: str) -> None:
    engine, other = open_database(postgres_url), open_database(postgres_url)
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with writing(other) as killer:
            killer.execute(text(f"SELECT pg_terminate_backend({pid})"))
        with pytest.raises(DatabaseUnreachable, match="the connection was lost"):
            connection.execute(text("SELECT 1"))
    _capture(engine, NOON)
    engine.dispose()
    other.dispose()


def test_a_wrong_password_is_told_without_it(postgres_url: str) -> None:
    place = postgres_url.partition("@")[2]
    with pytest.raises(DatabaseUnreachable, match="password authentication failed") as caught:
        open_database(f"postgresql+pg8000://onrecord:hush-hush@{place}")
    assert "hush-hush" not in str(caught.value)


def test_values_stay_out_of_errors(engine: Engine) -> None:
    begun = _capture(engine, NOON, message="what a citizen wrote")
    with pytest.raises(Exception, match=r"UNIQUE|unique") as caught:
        _capture(engine, NOON, message="what a citizen wrote")
    assert begun.account_id not in str(caught.value)


def _open_and_tell(url: str, found: Any) -> None:
    engine = open_database(url)
    found.put(revision(engine))
    engine.dispose()


def _delete_and_fail(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(delete(CaptureRow))
        raise ZeroDivisionError


def _capture(engine: Engine, at: datetime, *, message: str = "") -> ledger.Capture:
    return ledger.begin_capture(
        engine,
        capture_id=f"20260301T120000000000-{len(message):08x}",
        account_id="bluesky:did:plc:a",
        platform="bluesky",
        resource="posts",
        started_at=at,
        software="test",
    )
