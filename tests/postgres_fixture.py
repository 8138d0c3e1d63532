"""Databases for tests: ``database_url`` and ``engine`` run a test on SQLite and again on PostgreSQL, with all tables made.

``empty_database_url`` is the same without tables. ``postgres_server`` is a throw-away server for the session, ``postgres_url`` an
empty database of it for one test.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import pg8000.dbapi
import pytest
from conftest import require

from warehouse.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

STARTUP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Postgres:
    port: int
    password: str

    def connect(self, database: str = "postgres") -> pg8000.dbapi.Connection:
        return pg8000.dbapi.connect(
            user="onrecord", password=self.password, host="127.0.0.1", port=self.port, database=database
        )

    def url(self, database: str) -> str:
        return f"postgresql+pg8000://onrecord:{self.password}@127.0.0.1:{self.port}/{database}"


def _programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("postgres")
    if installed:
        return installed[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv"):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _initialize(programs: Path, home: Path, password: str) -> Path:
    secret = home / "password"
    secret.write_text(password)
    if os.geteuid() == 0:
        for place in (home, secret):
            shutil.chown(place, "postgres", "postgres")
    data = home / "data"
    command = [str(programs / "initdb"), "-D", str(data), "-U", "onrecord", "-A", "scram-sha-256", f"--pwfile={secret}"]
    options = ["--locale=C.UTF-8", "-E", "UTF8", "-N"]
    subprocess.run([*_as_user(), *command, *options], check=True, capture_output=True, cwd=home)
    return data


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            server.connect().close()
        except (pg8000.dbapi.Error, OSError):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    programs = _programs()
    require(programs, "PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="onrecord-pg-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        server = Postgres(_free_port(), token_hex(8))
        data = _initialize(programs, home, server.password)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={server.port}", "-c", "fsync=off"]
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(home), *options]
        log = home.with_suffix(".log")
        with log.open("wb") as out:
            process = subprocess.Popen([*_as_user(), *command], stdout=out, stderr=out, cwd=home)
        try:
            _wait(server, process, log)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=STARTUP_SECONDS)
            log.unlink(missing_ok=True)


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    name = f"test_{token_hex(6)}"
    _execute(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres) -> str:
    """A database with all tables, emptied for each test: faster than a new one."""
    _execute(postgres_server, "CREATE DATABASE migrated")
    open_database(postgres_server.url("migrated")).dispose()
    return "migrated"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, to copy."""
    file = tmp_path_factory.mktemp("migrated") / "onrecord.db"
    open_database(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'onrecord.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "onrecord.db")
        return f"sqlite:///{copy}"
    server, name = request.getfixturevalue("postgres_server"), request.getfixturevalue("migrated_postgres")
    _empty(server, name)
    url: str = server.url(name)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    yield opened
    opened.dispose()


def _empty(server: Postgres, database: str) -> None:
    connection = server.connect(database)
    cursor = connection.cursor()
    cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    names = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
    cursor.execute("SET session_replication_role = replica")  # the audit log's triggers refuse
    cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")
    connection.commit()
    connection.close()


def _execute(server: Postgres, statement: str) -> None:
    connection = server.connect()
    connection.autocommit = True
    try:
        connection.cursor().execute(statement)
    finally:
        connection.close()
