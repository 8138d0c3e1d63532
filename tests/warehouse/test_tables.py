from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from transforms.records import CONTENT, TABLES
from warehouse import tables
from warehouse.bucket import Bucket
from warehouse.faults import StorageUnavailable, TableFault
from warehouse.tables import Archive

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.bucket import Buckets
    from warehouse.endpoint import Endpoint

DAY = datetime(2026, 1, 15, 12, tzinfo=UTC)
VALUES: dict[Any, Any] = {
    pa.string(): "text",
    pa.bool_(): True,
    pa.int32(): 1,
    pa.int64(): 1,
    pa.timestamp("us", tz="UTC"): DAY,
}


def rows(name: str, count: int, **columns: list[Any]) -> pa.Table:
    """Rows of a table: what is not given is the same everywhere, null where it may be."""
    schema = TABLES[name]
    given = {
        column.name: columns.get(column.name, [None if column.nullable else VALUES[column.type]] * count)
        for column in schema
    }
    return pa.table(given, schema=schema)


def posts(*numbers: int, **columns: list[Any]) -> pa.Table:
    given = {
        "record_id": [f"bluesky:{number}" for number in numbers],
        "published_at": [DAY + timedelta(days=number) for number in numbers],
        "platform": ["bluesky"] * len(numbers),
    }
    return rows("posts", len(numbers), **{**given, **columns})


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.fixture
def archive(url: str, buckets: Buckets) -> Archive:
    return Archive(url, buckets.tables.endpoint, buckets.tables.name)


def ids(archive: Archive, name: str = "posts") -> list[str]:
    return sorted(archive.scan(name, ["record_id"]).column("record_id").to_pylist())


def test_making_an_archive_asks_nobody() -> None:
    assert "Archive" in repr(Archive("sqlite:////nowhere/at/all.db", None, "none"))  # type: ignore[arg-type]


def test_an_empty_archive_reads_as_empty_tables(archive: Archive) -> None:
    for name, schema in TABLES.items():
        table = archive.scan(name)
        assert table.num_rows == 0
        assert table.schema.equals(schema)
    assert set(archive.snapshots().values()) == {None}
    assert archive.files("posts") == []


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_gives_back_what_was_added_with_its_own_types(archive: Archive, name: str) -> None:
    added = rows(name, 3)
    archive.append(name, added, batch="b1")
    found = archive.scan(name)
    assert found.schema.equals(TABLES[name])
    assert found.to_pylist() == added.to_pylist()


def test_nested_columns_come_back(archive: Archive) -> None:
    media = {"media_id": "m", "kind": "image", "url": "https://x", "alt": None, "mime": "image/png"}
    archive.append("posts", posts(1, attachments=[[media, media]], hashtags=[["a", "b"]], links=[[]]), batch="b")
    [row] = archive.scan("posts", ["attachments", "hashtags", "links"]).to_pylist()
    assert row == {"attachments": [media, media], "hashtags": ["a", "b"], "links": []}


def test_a_null_list_stays_null_and_an_empty_one_empty(archive: Archive) -> None:
    media = {"media_id": "m", "kind": "image", "url": "https://x", "alt": None, "mime": None}
    shown = [[], None, [media], None, [media, media]] * 40
    pieces = posts(*range(200), attachments=shown, hashtags=[[], None, ["a"], None, ["b", "c"]] * 40)
    archive.append("posts", pa.concat_tables([pieces.slice(0, 77), pieces.slice(77, 1), pieces.slice(78)]), batch="b")
    found = {row["record_id"]: row for row in archive.scan("posts").to_pylist()}
    assert [found[f"bluesky:{number}"]["attachments"] for number in range(200)] == shown
    assert [found[f"bluesky:{number}"]["hashtags"] for number in range(5)] == [[], None, ["a"], None, ["b", "c"]]


def test_a_batch_committed_by_another_process_meanwhile_is_not_added_twice(
    archive: Archive, url: str, buckets: Buckets
) -> None:
    other = Archive(url, buckets.tables.endpoint, buckets.tables.name)
    with archive.transaction(batch="b1") as transaction:
        transaction.write("posts", posts(1))
        other.append("posts", posts(1), batch="b1")
    assert ids(archive) == ["bluesky:1"]
    assert len([entry for entry in buckets.tables.list() if "/data/" in entry.key]) == 1


def test_an_append_is_one_snapshot_and_no_rows_are_none(archive: Archive) -> None:
    assert archive.append("posts", posts(), batch="empty") is None
    first = archive.append("posts", posts(1, 200, 400), batch="b1")
    assert first is not None
    assert archive.append("posts", posts(), batch="empty") == first
    second = archive.append("posts", posts(2), batch="b2")
    assert second not in (None, first)
    assert archive.snapshot("posts") == second
    assert ids(archive) == ["bluesky:1", "bluesky:2", "bluesky:200", "bluesky:400"]


def test_an_older_snapshot_still_shows_its_rows(archive: Archive) -> None:
    first = archive.append("posts", posts(1), batch="b1")
    archive.append("posts", posts(2), batch="b2")
    assert archive.scan("posts", ["record_id"], snapshot=first).num_rows == 1
    assert len(archive.files("posts", snapshot=first)) == 1


def test_a_batch_is_added_once(archive: Archive) -> None:
    archive.append("posts", posts(1), batch="b1")
    assert archive.has_batch("posts", "b1")
    assert not archive.has_batch("comments", "b1")
    archive.append_many({"posts": posts(1), "comments": posts(5)}, batch="b1")
    assert ids(archive) == ["bluesky:1"]
    assert ids(archive, "comments") == ["bluesky:5"]


def test_a_filter_finds_rows(archive: Archive) -> None:
    archive.append("posts", posts(1, 2, 3), batch="b1")
    assert archive.scan("posts", ["record_id"], "record_id = 'bluesky:2'").to_pylist() == [{"record_id": "bluesky:2"}]


def test_rows_are_sorted_and_files_split_by_platform_and_month(archive: Archive) -> None:
    order = [90, 3, 35, 1, 2]
    accounts = ["b", "b", "a", "a", "a"]
    archive.append("posts", posts(*order, account_id=accounts, platform=["m", "m", "b", "b", "b"]), batch="b1")
    files = archive.files("posts")
    parts = sorted(file.split("/data/")[1].rsplit("/", 1)[0] for file in files)
    assert parts == [
        "platform=b/published_month=2026-01",
        "platform=b/published_month=2026-02",
        "platform=m/published_month=2026-01",
        "platform=m/published_month=2026-04",
    ]
    found = archive.scan("posts", ["account_id", "published_at"], "platform = 'b'").to_pylist()
    assert found == sorted(found, key=lambda row: (row["account_id"], row["published_at"]))


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_any_date_a_client_may_claim_can_be_kept(archive: Archive, year: int) -> None:
    claimed = datetime(year, 12, 31, tzinfo=UTC)
    archive.append("posts", posts(1, published_at=[claimed]), batch="b")
    archive.append("posts", posts(2, published_at=[None]), batch="c")
    found = archive.scan("posts", ["record_id", "published_at"]).to_pylist()
    assert sorted(found, key=lambda row: row["record_id"]) == [
        {"record_id": "bluesky:1", "published_at": claimed},
        {"record_id": "bluesky:2", "published_at": None},
    ]


def test_no_piece_of_a_text_or_name_is_left_in_metadata(archive: Archive, buckets: Buckets) -> None:
    secret = {"text": "SECRET-TEXT", "author_name": "SECRET-NAME", "author_handle": "SECRET-HANDLE"}
    given = {name: [value] for name, value in {**secret, "title": "SECRET-TITLE", "url": "SECRET-URL"}.items()}
    archive.append("posts", posts(1, **given, record_id=["SECRET-ID"]), batch="b1")
    metadata = [entry.key for entry in buckets.tables.list() if "/metadata/" in entry.key]
    assert {key.rsplit(".", 1)[1] for key in metadata} == {"json", "avro"}
    table = archive.catalog.load_table(("archive", "posts"))
    for manifest in table.current_snapshot().manifests(table.io):  # type: ignore[union-attr]
        for entry in manifest.fetch_manifest_entry(table.io):
            bounds = [*entry.data_file.lower_bounds.values(), *entry.data_file.upper_bounds.values()]
            assert bounds
            assert not any(b"SECRET" in bound for bound in bounds)


def test_secrets_of_the_store_are_not_in_the_catalog(archive: Archive, buckets: Buckets, tmp_path: Path) -> None:
    archive.append("posts", posts(1), batch="b1")
    written = (tmp_path / "catalog.db").read_bytes()
    written += b"".join(buckets.tables.get(entry.key) for entry in buckets.tables.list() if entry.key.endswith("json"))
    assert buckets.tables.endpoint.secret_key.encode() not in written


def test_old_metadata_does_not_pile_up(archive: Archive, buckets: Buckets) -> None:
    for number in range(12):
        archive.append("gaps", rows("gaps", 1), batch=f"b{number}")
    kept = [entry.key for entry in buckets.tables.list() if entry.key.endswith(".metadata.json")]
    assert len(kept) <= 11
    assert archive.scan("gaps").num_rows == 12


def test_rows_of_another_shape_are_refused_by_name(archive: Archive) -> None:
    with pytest.raises(TableFault, match="missing columns \\['text'\\]"):
        archive.append("posts", posts(1).drop_columns(["text"]), batch="b")
    with pytest.raises(TableFault, match="unknown columns \\['mood'\\]"):
        archive.append("posts", posts(1).append_column("mood", pa.array(["x"])), batch="b")
    with pytest.raises(TableFault, match="required columns \\['record_id'\\]"):
        archive.append("posts", posts(1).set_column(0, "record_id", pa.array([None], pa.string())), batch="b")
    with pytest.raises(TableFault, match="other types"):
        archive.append("posts", posts(1).set_column(3, "version", pa.array(["one"])), batch="b")
    with pytest.raises(TableFault, match="no table 'post'"):
        archive.append("post", posts(1), batch="b")
    assert archive.scan("posts").num_rows == 0


def test_a_transaction_shows_nothing_until_it_ends(archive: Archive, url: str, buckets: Buckets) -> None:
    other = Archive(url, buckets.tables.endpoint, buckets.tables.name)
    with archive.transaction(batch="b1") as transaction:
        for number in range(5):
            transaction.write("posts", posts(number))
            transaction.write("sightings", rows("sightings", 2))
        assert other.snapshots()["posts"] is None
    assert len(ids(other)) == 5
    assert other.scan("sightings").num_rows == 10
    assert other.has_batch("sightings", "b1")


def test_a_large_batch_is_written_in_pieces_and_committed_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BUFFER_BYTES", 1)
    with archive.transaction(batch="b1") as transaction:
        for number in range(4):
            transaction.write("posts", posts(number))
    assert len(archive.files("posts")) == 4
    table = archive.catalog.load_table(("archive", "posts"))
    assert len(table.metadata.snapshots) == 1
    assert len(ids(archive)) == 4


def test_a_failed_transaction_adds_nothing_and_leaves_no_data_file(
    archive: Archive, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BUFFER_BYTES", 1)

    def work() -> None:
        with archive.transaction(batch="b1") as transaction:
            transaction.write("posts", posts(1))
            transaction.write("posts", posts(2))
            message = "the normalizer failed"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the normalizer failed"):
        work()
    assert archive.snapshots()["posts"] is None
    assert [entry.key for entry in buckets.tables.list() if "/data/" in entry.key] == []
    archive.append("posts", posts(1), batch="b1")
    assert ids(archive) == ["bluesky:1"]


def test_a_batch_cut_short_between_two_tables_is_completed_by_repeating_it(archive: Archive) -> None:
    archive.append("posts", posts(1, 2), batch="b1")
    with archive.transaction(batch="b1") as transaction:
        transaction.write("posts", posts(1, 2))
        transaction.write("comments", posts(3))
    assert ids(archive) == ["bluesky:1", "bluesky:2"]
    assert ids(archive, "comments") == ["bluesky:3"]


def _write(url: str, endpoint: Endpoint, bucket: str, number: int) -> None:
    archive = Archive(url, endpoint, bucket)
    for part in range(3):
        archive.append("posts", posts(number * 100 + part), batch=f"{number}-{part}")


def test_writers_at_once_lose_nothing(archive: Archive, url: str, buckets: Buckets) -> None:
    archive.append("posts", posts(9999), batch="first")
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_write, args=(url, buckets.tables.endpoint, buckets.tables.name, number))
        for number in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(ids(archive)) == 10


def test_the_months_of_many_writes_are_merged_into_few_manifests(archive: Archive) -> None:
    for number in range(22):
        archive.append("captures", rows("captures", 1), batch=f"b{number}")
    table = archive.catalog.load_table(("archive", "captures"))
    assert len(table.current_snapshot().manifests(table.io)) < 22  # type: ignore[union-attr]
    assert archive.scan("captures").num_rows == 22


def test_a_store_that_is_down_is_named(archive: Archive, url: str, buckets: Buckets) -> None:
    from dataclasses import replace

    archive.append("posts", posts(1), batch="b1")
    down = Archive(url, replace(buckets.tables.endpoint, url="http://127.0.0.1:9"), buckets.tables.name)
    with pytest.raises(StorageUnavailable, match="table posts: the object store failed"):
        down.scan("posts")


def test_a_catalog_that_cannot_be_opened_is_named(buckets: Buckets, tmp_path: Path) -> None:
    broken = Archive(f"sqlite:///{tmp_path}/no/such/folder.db", buckets.tables.endpoint, buckets.tables.name)
    with pytest.raises(TableFault, match="catalog"):
        broken.snapshot("posts")


def test_columns_keep_their_descriptions(archive: Archive) -> None:
    archive.append("posts", posts(1), batch="b1")
    table = archive.catalog.load_table(("archive", "posts"))
    assert table.schema().find_field("text").doc == CONTENT.field("text").metadata[b"doc"].decode()


def test_a_second_archive_in_another_bucket_is_its_own(s3_endpoint: Endpoint, buckets: Buckets, tmp_path: Path) -> None:
    one = Archive(f"sqlite:///{tmp_path}/one.db", s3_endpoint, buckets.tables.name)
    one.append("posts", posts(1), batch="b")
    assert all(entry.key.startswith("archive/posts/") for entry in Bucket(s3_endpoint, buckets.tables.name).list())
