"""``onrecord console``: who may log in, and serving."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import commands
import pytest
import requests

from compliance import audit_log, users
from warehouse.database import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

PASSWORD = "correct horse battery"


@pytest.fixture
def environment(tmp_path: Path, migrated_sqlite: Path) -> dict[str, str]:
    shutil.copy(migrated_sqlite, tmp_path / "onrecord.db")
    return {**os.environ, "ONRECORD_HOME": str(tmp_path), "ONRECORD_CONSOLE_CITY": "Port Alder"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'onrecord.db'}")
    yield opened
    opened.dispose()


def test_users_are_added_listed_changed_and_removed(environment: dict[str, str], engine: Engine) -> None:
    given = f"{PASSWORD}\n{PASSWORD}\n"
    commands.ok(environment, "console", "add-user", "dana", "--role", "auditor", given=given)
    commands.ok(environment, "console", "password", "dana", given="another horse battery\nanother horse battery\n")
    assert commands.ok(environment, "console", "users") == "dana\tauditor\n"
    assert users.log_in(engine, "dana", "another horse battery", now=audit_log.head(engine).at)  # type: ignore[union-attr]
    commands.ok(environment, "console", "remove-user", "dana")
    assert commands.ok(environment, "console", "users") == ""
    entries = list(audit_log.entries(engine))
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("users.add", "dana"),
        ("users.password", "dana"),
        ("users.remove", "dana"),
    ]
    assert not any("horse" in str(entry) for entry in entries)


def test_a_change_that_cannot_be_is_refused_in_words(environment: dict[str, str]) -> None:
    short = commands.run(environment, "console", "add-user", "dana", "--role", "auditor", given="short\nshort\n")
    short.refused(3, "at least 12")
    unknown = commands.run(environment, "console", "password", "erin", given=f"{PASSWORD}\n{PASSWORD}\n")
    unknown.refused(3, "there is no user erin")


def test_the_first_start_tells_a_password_with_which_one_can_log_in(environment: dict[str, str]) -> None:
    served = _serve(environment, "--port", "0")
    try:
        address = _told(served, r"Console (http://127\.0\.0\.1:\d+)$")
        password = _told(served, r"User admin, first password (\S+) ")
        form = {"name": "admin", "password": password}
        answer = requests.post(f"{address}/login", data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 303
        assert "Server" not in answer.headers
    finally:
        served.send_signal(signal.SIGINT)
        out, err = served.communicate(timeout=30)
    assert (served.returncode, out, err) == (0, "", "")


def test_a_port_that_is_taken_is_told_in_words(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        commands.run(environment, "console", "serve", "--port", port).refused(1, f"port {port}", "Choose another")


def test_listening_for_other_machines_is_warned_of(environment: dict[str, str]) -> None:
    served = _serve(environment, "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - what is warned of
    _told(served, r"Console http://0\.0\.0\.0:\d+$")
    served.kill()
    _, err = served.communicate(timeout=30)
    assert "Warning: 0.0.0.0 can be reached from other machines" in err


def _serve(environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    line = commands.command("console", "serve", *options)
    return subprocess.Popen(
        line, cwd=commands.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _told(served: subprocess.Popen[str], pattern: str) -> str:
    assert served.stdout
    line = served.stdout.readline()
    found = re.search(pattern, line.rstrip("\n"))
    assert found, line
    return found[1] if found.groups() else found[0]
