"""A real S3 server for the whole test run, and fresh buckets for each test that asks."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from warehouse import seaweed
from warehouse.bucket import Bucket, Buckets, Retention, ensure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warehouse.endpoint import Endpoint

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The embedded object store, hardened as in use, in a folder of its own."""
    server = seaweed.start(tmp_path_factory.mktemp("seaweed"))
    yield server.endpoint
    server.stop()


@pytest.fixture
def buckets(s3_endpoint: Endpoint) -> Buckets:
    """Two fresh buckets: evidence with Object Lock (one day, GOVERNANCE), tables without."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    evidence = Bucket(s3_endpoint, f"{name}-evidence", Retention("GOVERNANCE", 1))
    tables = Bucket(s3_endpoint, f"{name}-tables")
    ensure(evidence, locked=True)
    ensure(tables, locked=False)
    return Buckets(evidence, tables)
