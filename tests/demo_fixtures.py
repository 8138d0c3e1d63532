"""One demo for all tests that look at what it leaves behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import commands
import pytest


@dataclass(frozen=True, slots=True)
class Demo:
    """A home in which the demo ran, and what it printed."""

    home: Path
    environment: dict[str, str]
    out: str

    def sql(self, question: str) -> list[str]:
        """The first column of an answer."""
        answer = commands.ok(self.environment, "sql", question, "--format", "csv")
        return [line.rstrip("\r") for line in answer.splitlines()[1:]]


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a person whose archive lies there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONRECORD_", "AIRFLOW"))}
    return {**kept, "ONRECORD_HOME": str(home), "ONRECORD_ROOT": str(commands.ROOT), "COLUMNS": "140"}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once, where an earlier one was killed."""
    home = tmp_path_factory.mktemp("demo") / "var"
    environment = environment_of(home)
    (home / "left").mkdir(parents=True)
    (home / "demo.json").write_text("{}")
    (home / "onrecord.db").write_bytes(b"torn")
    return Demo(home, environment, commands.ok(environment, "demo"))
