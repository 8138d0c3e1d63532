from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from transforms.records import TABLES
from warehouse.bucket import Buckets
from warehouse.endpoint import Endpoint
from warehouse.partitioned import data_files, parts
from warehouse.tables import Archive


def posts(*published: tuple[str, datetime | None]) -> pa.Table:
    """A row for each platform and time of publication."""
    stand_ins: dict[pa.DataType, Any] = {pa.string(): "x", pa.int32(): 1, pa.int64(): 1}
    rows = []
    for number, (platform, moment) in enumerate(published):
        row = {field.name: None if field.nullable else stand_ins.get(field.type) for field in TABLES["posts"]}
        given = {
            "platform": platform,
            "published_at": moment,
            "record_id": f"x:{number}",
            "seen_after": datetime(2026, 3, 2, tzinfo=UTC),
        }
        rows.append({**row, **given})
    return pa.Table.from_pylist(rows, schema=TABLES["posts"])


ROWS = posts(
    ("bluesky", datetime(2026, 2, 28, tzinfo=UTC)),
    ("mastodon", datetime(2026, 2, 1, tzinfo=UTC)),
    ("bluesky", None),
    ("bluesky", datetime(2025, 2, 3, tzinfo=UTC)),
    ("bluesky", datetime(2026, 2, 1, tzinfo=UTC)),
)


def test_each_part_is_one_platform_and_month_in_order_and_no_row_is_lost() -> None:
    found = [part["record_id"].to_pylist() for part in parts("posts", ROWS)]
    assert sorted(found) == [["x:1"], ["x:2"], ["x:3"], ["x:4", "x:0"]]


def test_a_table_without_partitions_is_one_part() -> None:
    metrics = pa.table({name: [1, 2] for name in TABLES["metrics"].names})
    assert [part.num_rows for part in parts("metrics", metrics)] == [2]


def test_no_rows_are_no_parts() -> None:
    assert list(parts("posts", ROWS.slice(0, 0))) == []


def test_the_files_lie_in_the_partitions_iceberg_names(
    s3_endpoint: Endpoint, buckets: Buckets, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("catalog")
    archive = Archive(f"sqlite:///{folder / 'catalog.db'}", s3_endpoint, buckets.tables.name)
    archive.append("posts", ROWS.slice(0, 1), batch="1")
    table = archive.catalog.load_table(("archive", "posts"))
    files = list(data_files("posts", table, ROWS))
    assert sorted((file.record_count, file.partition[0]) for file in files) == [
        (1, "bluesky"), (1, "bluesky"), (1, "mastodon"), (2, "bluesky"),
    ]  # fmt: skip
