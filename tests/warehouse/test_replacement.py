from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.records import TABLES
from warehouse.bucket import Buckets
from warehouse.endpoint import Endpoint
from warehouse.replacement import replace
from warehouse.tables import Archive


def counts(*rows: tuple[str, int]) -> pa.Table:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    given = [
        {"record_id": name, "name": "likes", "value": value, "seen_at": moment, "capture_id": "c"}
        for name, value in rows
    ]
    return pa.Table.from_pylist(given, schema=TABLES["metrics"])


@pytest.fixture
def archive(tmp_path: Path, s3_endpoint: Endpoint, buckets: Buckets) -> Archive:
    return Archive(f"sqlite:///{tmp_path / 'catalog.db'}", s3_endpoint, buckets.tables.name)


def values(archive: Archive) -> list[tuple[str, int]]:
    table = archive.scan("metrics")
    return sorted(zip(table["record_id"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_rows_that_match_every_column_given_are_exchanged_and_others_stay(archive: Archive) -> None:
    archive.append("metrics", counts(("a", 1), ("a", 2), ("b", 1)), batch="1")
    replace(archive, "metrics", {"record_id": ["a"], "name": ["likes"]}, counts(("a", 9)), batch="2")
    assert values(archive) == [("a", 9), ("b", 1)]
    replace(archive, "metrics", {"record_id": ["b"], "name": ["views"]}, counts(), batch="3")
    assert values(archive) == [("a", 9), ("b", 1)]


def test_rows_of_an_empty_table_are_simply_added(archive: Archive) -> None:
    replace(archive, "metrics", {"record_id": ["a"]}, counts(("a", 1)), batch="1")
    assert values(archive) == [("a", 1)]


def test_no_reader_sees_the_table_between(archive: Archive) -> None:
    archive.append("metrics", counts(("a", 1)), batch="1")
    before = archive.catalog.load_table(("archive", "metrics")).metadata_location
    replace(archive, "metrics", {"record_id": ["a"]}, counts(("a", 2)), batch="2")
    log = archive.catalog.load_table(("archive", "metrics")).metadata.metadata_log
    assert [entry.metadata_file for entry in log][-1] == before
    assert values(archive) == [("a", 2)]
