"""Airflow with its state in a temporary folder and the checkout as its home."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow of our own; its database is not made yet."""
    from pipeline.stack import addresses, environment

    home = tmp_path_factory.mktemp("onrecord")
    return environment(ROOT, home, addresses(0))


@pytest.fixture(scope="session")
def dag_files() -> list[Path]:
    """Every file in dags/."""
    return sorted((ROOT / "dags").glob("*.py"))
