"""A city per module, with a fixed time: the same to the last id in every run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from samplecity.server import City

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def _running_city() -> Iterator[City]:
    with City.start(now=NOW) as city:
        yield city


@pytest.fixture
def city(_running_city: City) -> City:
    if _running_city.desk.is_touched:
        _running_city.reset()
    _running_city.desk.requests.clear()
    return _running_city


@pytest.fixture(scope="session")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
