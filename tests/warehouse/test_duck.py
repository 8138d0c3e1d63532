from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from transforms.records import TABLES
from warehouse import duck
from warehouse.faults import TableFault
from warehouse.tables import Archive

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.bucket import Buckets

DAY = datetime(2026, 1, 15, 12, tzinfo=UTC)
MEDIA = {"media_id": "m", "kind": "image", "url": "https://x", "alt": None, "mime": "image/png"}


def post(**columns: Any) -> pa.Table:
    given = {
        column.name: "text" if column.type == pa.string() else 1 if pa.types.is_integer(column.type) else DAY
        for column in TABLES["posts"]
        if not column.nullable
    }
    return pa.Table.from_pylist([{**given, **columns}], schema=TABLES["posts"])


@pytest.fixture
def archive(tmp_path: Path, buckets: Buckets) -> Archive:
    return Archive(f"sqlite:///{tmp_path}/catalog.db", buckets.tables.endpoint, buckets.tables.name)


def test_a_table_is_read_with_all_its_columns_and_types(archive: Archive) -> None:
    archive.append("posts", post(text="it's", attachments=[MEDIA], hashtags=["a"], published_at=DAY), batch="b")
    connection = duck.connect(endpoint=archive.endpoint)
    found = connection.sql(f"SELECT * FROM {duck.relation(archive, 'posts')}").to_arrow_table()
    assert found.column_names == TABLES["posts"].names
    [row] = found.to_pylist()
    assert (row["text"], row["attachments"], row["hashtags"]) == ("it's", [MEDIA], ["a"])
    assert row["published_at"] == DAY


@pytest.mark.parametrize("name", list(TABLES))
def test_an_empty_table_has_the_columns_of_a_full_one(archive: Archive, name: str) -> None:
    empty = duck.connect().sql(f"SELECT * FROM {duck.relation(archive, name)}")
    assert empty.columns == TABLES[name].names
    assert empty.fetchall() == []
    types = {column: str(kind) for column, kind in zip(empty.columns, empty.types, strict=True)}
    assert types.get("seen_after", "TIMESTAMP WITH TIME ZONE") == "TIMESTAMP WITH TIME ZONE"


def test_an_older_snapshot_can_be_read(archive: Archive) -> None:
    first = archive.append("posts", post(), batch="b1")
    archive.append("posts", post(), batch="b2")
    connection = duck.connect(endpoint=archive.endpoint)

    def count(relation: str) -> object:
        return connection.sql(f"SELECT count(*) FROM {relation}").fetchall()[0][0]

    assert count(duck.relation(archive, "posts")) == 2
    assert count(duck.relation(archive, "posts", snapshot=first)) == 1


def test_a_column_renamed_or_added_later_is_found_by_its_field_id(archive: Archive) -> None:
    archive.append("posts", post(text="old file"), batch="b1")
    table = archive.catalog.load_table(("archive", "posts"))
    with table.update_schema() as change:
        change.rename_column("text", "words")
    with table.update_schema() as change:
        change.rename_column("words", "text")
    archive.append("posts", post(text="new file"), batch="b2")
    connection = duck.connect(endpoint=archive.endpoint)
    found = connection.sql(f"SELECT text FROM {duck.relation(archive, 'posts')} ORDER BY text").fetchall()
    assert found == [("new file",), ("old file",)]


def test_delete_files_of_another_engine_are_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyiceberg.table import DataScan, FileScanTask

    archive.append("posts", post(), batch="b1")
    planned = DataScan.plan_files

    def with_delete_files(scan: DataScan) -> list[FileScanTask]:
        return [FileScanTask(task.file, {task.file}) for task in planned(scan)]

    monkeypatch.setattr(DataScan, "plan_files", with_delete_files)
    with pytest.raises(TableFault, match="delete files"):
        duck.relation(archive, "posts")


def test_nothing_is_installed_and_no_secret_is_shown(archive: Archive) -> None:
    connection = duck.connect(endpoint=archive.endpoint)
    with pytest.raises(duckdb.Error):
        connection.execute("LOAD spatial")
    assert archive.endpoint.secret_key not in str(connection.sql("FROM duckdb_secrets()").fetchall())
    assert connection.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_secrets_and_names_with_quotes_stay_text() -> None:
    assert duckdb.sql(f"SELECT {duck.literal(chr(39) + ' OR 1=1 --')}").fetchall() == [("' OR 1=1 --",)]
    assert duckdb.sql(f"SELECT 1 AS {duck.identifier('a' + chr(34) + 'b')}").columns == ['a"b']


def test_a_connection_can_be_bound_to_a_file_and_to_limits(tmp_path: Path) -> None:
    path = tmp_path / "some.duckdb"
    duck.connect(path).execute("CREATE TABLE t AS SELECT 1 AS x").close()
    reader = duck.connect(path, read_only=True, threads=1, memory_limit="200MB", temp_directory=tmp_path)
    assert reader.sql("SELECT x, current_setting('threads') FROM t").fetchall() == [(1, 1)]
    with pytest.raises(duckdb.Error):
        reader.execute("INSERT INTO t VALUES (2)")
