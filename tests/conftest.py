"""What every test may use: where the recorded payloads lie, and how to ask for what a machine may lack."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["storage_fixtures", "postgres_fixture", "airflow_fixtures", "workspace_fixtures", "demo_fixtures"]

ROOT = Path(__file__).resolve().parent.parent


def _shared() -> Path | None:
    place = Path(os.environ.get("ONRECORD_SHARED", ROOT.parent / "shared"))
    return place if place.is_dir() else None


SHARED: Path | None = _shared()
"""Recorded payloads and the scripts that run real platforms; None where they are not at hand."""


def require(condition: object, reason: str) -> None:
    """Skip the test with the reason unless the condition holds; under ``REQUIRE_ALL=1`` fail instead."""
    if condition:
        return
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"required here, but missing: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded payloads and real platforms."""
    require(SHARED, "the folder of recorded payloads is not beside the project (ONRECORD_SHARED names it)")
    assert SHARED is not None
    return SHARED


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ONRECORD_") and name != "ONRECORD_SHARED":
            monkeypatch.delenv(name)
