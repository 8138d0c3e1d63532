"""An installation of our own per test: temporary home, fresh buckets on the shared store, the sample city in reach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samplecity.server import City

if TYPE_CHECKING:
    from pipeline.workspace import Workspace
    from warehouse.bucket import Buckets


@pytest.fixture
def sample_city() -> Iterator[City]:
    """A fresh sample city at moment 0."""
    with City.start() as city:
        yield city


@pytest.fixture
def installation(buckets: Buckets, tmp_path: Path) -> dict[str, str]:
    """The environment of an installation: settings only, no city."""
    endpoint = buckets.evidence.endpoint
    return {
        "ONRECORD_HOME": str(tmp_path / "var"),
        "ONRECORD_S3_ENDPOINT": endpoint.url,
        "ONRECORD_S3_ACCESS_KEY": endpoint.access_key,
        "ONRECORD_S3_SECRET_KEY": endpoint.secret_key,
        "ONRECORD_S3_EVIDENCE_BUCKET": buckets.evidence.name,
        "ONRECORD_S3_TABLES_BUCKET": buckets.tables.name,
        "ONRECORD_S3_LOCK_DAYS": "1",
    }


@pytest.fixture
def workspace(installation: dict[str, str], sample_city: City, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The installation with the sample city in reach and its accounts registered."""
    from compliance import accounts
    from pipeline.workspace import Workspace

    for name, value in {**installation, **sample_city.environment()}.items():
        monkeypatch.setenv(name, value)
    made = Workspace()
    accounts.load(made.engine, made.policy.accounts, now=made.clock())
    return made


@pytest.fixture
def onrecord_environment(installation: dict[str, str], sample_city: City) -> dict[str, str]:
    """The same for a process of its own."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
    return {**outside, **installation, **sample_city.environment()}
