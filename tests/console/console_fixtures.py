"""The console on a loopback port, over the mart of :mod:`dashboard_city`."""

from __future__ import annotations

import shutil
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import dashboard_city
import duckdb
import pytest
import requests
import uvicorn
from dashboard_city import LATE_AFTER, NOW, PASSWORD

from compliance import users
from console.app import Sources, create_app
from warehouse.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from warehouse.endpoint import Endpoint


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **lasting: float) -> None:
        self.now += timedelta(**lasting)


@dataclass(frozen=True)
class Console:
    """A console that is served."""

    url: str
    mart: Path
    engine: Engine
    clock: Clock
    app: Any
    sessions: list[requests.Session] = field(default_factory=list)

    def visitor(self) -> requests.Session:
        """A browser without a session that follows no redirect by itself."""
        opened = requests.Session()
        opened.headers["Accept"] = "text/html"
        self.sessions.append(opened)
        return opened

    def get(self, visitor: requests.Session, path: str) -> requests.Response:
        return visitor.get(self.url + path, allow_redirects=False, timeout=30)

    def post(self, visitor: requests.Session, path: str, form: dict[str, str], **more: Any) -> requests.Response:
        return visitor.post(self.url + path, data=form, allow_redirects=False, timeout=30, **more)

    def log_in(
        self, visitor: requests.Session, name: str = "dana", password: str = PASSWORD, **form: str
    ) -> requests.Response:
        return self.post(visitor, "/login", {"name": name, "password": password, **form})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the mart answers."""
        with duckdb.connect(str(self.mart), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


@contextmanager
def serving(database: Path, mart: Path) -> Iterator[Console]:
    """Serve a console with a database of its own, in which dana may log in."""
    engine = open_database(f"sqlite:///{database}")
    users.add(engine, name="dana", role="records_officer", password=PASSWORD, at=NOW)
    clock = Clock()
    app = create_app(Sources(engine, mart, city="Port Alder", late_after=LATE_AFTER, clock=clock))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=2))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    console = Console(f"http://127.0.0.1:{listener.getsockname()[1]}", mart, engine, clock, app)
    yield console
    for session in console.sessions:
        session.close()
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()
    engine.dispose()


@pytest.fixture(scope="module")
def _quick_hashes() -> Iterator[None]:
    """Passwords hashed at a thousandth of the cost: the tests log in a hundred times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_SCRYPT", {"n": 2**4, "r": 8, "p": 1})
        yield


@pytest.fixture(scope="session")
def dashboard_mart(s3_endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dashboard_city.build(tmp_path_factory.mktemp("dashboard"), s3_endpoint)


@pytest.fixture(scope="module")
def shared_console(
    dashboard_mart: Path, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, _quick_hashes: None
) -> Iterator[Console]:
    database = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("console"))
    with serving(database, dashboard_mart) as console:
        yield console


@pytest.fixture
def served(shared_console: Console) -> Console:
    """A console for tests that only read. Its clock stands at ``NOW``."""
    shared_console.clock.now = NOW
    return shared_console


@pytest.fixture
def own(dashboard_mart: Path, migrated_sqlite: Path, tmp_path: Path, _quick_hashes: None) -> Iterator[Console]:
    """A console of the test's own, whose mart and users it may change."""
    mart = Path(shutil.copy(dashboard_mart, tmp_path))
    with serving(shutil.copy(migrated_sqlite, tmp_path), mart) as console:
        yield console


@pytest.fixture(scope="module")
def dana(shared_console: Console) -> requests.Session:
    """Somebody who is logged in."""
    visitor = shared_console.visitor()
    assert shared_console.log_in(visitor).status_code == 303
    return visitor
