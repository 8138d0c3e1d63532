"""The mart: what it holds, what everything in it means, and that it is swapped in whole or not at all."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from small_city import ACCOUNT, ACCOUNTS, BUILT_AT, START, TEXTS, City, fresh_buckets, record_id, small_city

from transforms.records import TABLES
from warehouse import dictionary, mart, query, views
from warehouse.faults import DiskFull
from warehouse.mart import MartError

if TYPE_CHECKING:
    from warehouse.bucket import Buckets
    from warehouse.endpoint import Endpoint
    from warehouse.tables import Archive


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("city")


@pytest.fixture(scope="module")
def city_buckets(s3_endpoint: Endpoint) -> Buckets:
    return fresh_buckets(s3_endpoint, "mart")


@pytest.fixture(scope="module")
def archive(home: Path, city_buckets: Buckets) -> Archive:
    return small_city().archive(home, city_buckets)


@pytest.fixture(scope="module")
def one_mart(archive: Archive, home: Path) -> Path:
    path = home / "mart.duckdb"
    mart.build(archive, path, extra={"accounts": ACCOUNTS}, clock=lambda: BUILT_AT, software="onrecord test")
    return path


@pytest.fixture
def built(one_mart: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(one_mart, tmp_path))


def rows(path: Path, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql, params or None).fetchall()


def test_the_mart_holds_every_row_of_the_archive_and_says_from_which_snapshot(built: Path, archive: Archive) -> None:
    info = {
        name: (count, snapshot)
        for name, count, snapshot in rows(built, "SELECT table_name, row_count, snapshot_id FROM mart_info")
    }
    assert info["comments"] == (8, archive.snapshot("comments"))
    assert info["posts"] == (2, archive.snapshot("posts"))
    assert info["metrics"] == (0, None)
    assert rows(built, "SELECT DISTINCT built_at, software FROM mart_info") == [(BUILT_AT, "onrecord test")]


def test_columns_and_types_are_those_of_the_archive(built: Path) -> None:
    with duckdb.connect(str(built), read_only=True) as connection:
        for name in mart.SOURCES:
            schema = connection.execute(f"FROM {name} LIMIT 0").to_arrow_table().schema
            assert schema.names[: len(TABLES[name])] == TABLES[name].names


def test_everything_people_see_is_described(built: Path) -> None:
    found = views.describe(built)
    assert {one.entry.name for one in found} >= {
        *mart.SOURCES,
        "records",
        "edits",
        "deletions",
        "hidden_comments",
        "threads",
        "accounts",
    }
    silent = [one.entry.name for one in found if not one.entry.comment or not one.examples]
    silent += [f"{one.entry.name}.{column.name}" for one in found for column in one.entry.columns if not column.comment]
    assert silent == []


def test_every_example_is_answered(built: Path) -> None:
    for one in views.describe(built):
        for example in one.examples if one.entry.kind != "table" else ():
            params = {name: record_id("post") for name in ("record", "account") if f"${name}" in example}
            assert query.ask(built, example, params=params).table().num_columns > 0


def test_a_record_appears_once_in_its_latest_version(built: Path) -> None:
    assert rows(built, "SELECT kind, count(*) FROM records GROUP BY ALL ORDER BY ALL") == [("comment", 5), ("post", 2)]
    assert rows(
        built, "SELECT account, text, version FROM records WHERE record_id = $id", id=record_id("question")
    ) == [("port-alder", TEXTS["question edited"], 2)]


def test_an_edit_shows_both_texts_and_its_interval(built: Path) -> None:
    [(record, before, after, seen_before, seen_after)] = rows(
        built, "SELECT record_id, text_before, text_after, seen_before, seen_after FROM edits"
    )
    assert (record, before, after) == (record_id("question"), TEXTS["question"], TEXTS["question edited"])
    assert START < seen_before < seen_after


def test_a_deletion_keeps_what_was_said(built: Path) -> None:
    assert rows(built, "SELECT record_id, last_text, state, still_gone FROM deletions") == [
        (record_id("regretted"), TEXTS["regretted"], "deleted", True)
    ]


def test_a_hidden_comment_is_listed_with_its_action(built: Path) -> None:
    assert rows(built, "SELECT record_id, text, still_hidden FROM hidden_comments") == [
        (record_id("rude"), TEXTS["rude"], True)
    ]
    assert rows(built, "SELECT action, in_force, subject_text FROM moderation_log") == [("hide", True, TEXTS["rude"])]


def test_a_thread_reads_from_top_to_bottom_with_depth(built: Path) -> None:
    found = rows(
        built, "SELECT record_id, depth FROM threads WHERE root_id = $id ORDER BY position", id=record_id("post")
    )
    names = [(record.rpartition("/")[2], depth) for record, depth in found]
    assert names == [("post", 0), ("question", 1), ("answer", 2), ("regretted", 2), ("rude", 1), ("formula", 1)]


def test_the_past_is_as_it_was_known_then(built: Path) -> None:
    sql = "SELECT text, state FROM comments_as_of($moment) WHERE record_id IN ($question, $rude) ORDER BY ALL"
    names = {"question": record_id("question"), "rude": record_id("rude")}
    assert rows(built, sql, moment="2026-03-01", **names) == []
    assert rows(built, sql, moment="2026-03-05", **names) == [
        (TEXTS["question"], "present"),
        (TEXTS["rude"], "present"),
    ]
    assert rows(built, sql, moment="2026-03-31", **names) == [
        (TEXTS["question edited"], "present"),
        (TEXTS["rude"], "hidden"),
    ]


def test_activity_freshness_and_coverage_count_what_happened(built: Path) -> None:
    activity = rows(
        built, "SELECT week::VARCHAR, posts, comments, edits, deletions, hidden FROM activity_by_week ORDER BY week"
    )
    assert activity == [("2026-03-02", 2, 5, 0, 0, 0), ("2026-03-09", 0, 0, 1, 1, 1)]
    freshness = rows(
        built,
        "SELECT resource, last_complete_at < last_tried_at, last_error, gap_since FROM capture_freshness ORDER BY 1",
    )
    assert freshness == [("comments", True, "The token is dead", None), ("posts", False, None, None)]
    assert rows(built, "SELECT account, posts, comments, gaps, open_gaps, quarantined FROM coverage") == [
        ("port-alder", 2, 5, 1, 0, 1)
    ]


def test_an_empty_archive_gives_an_empty_mart(tmp_path: Path, buckets: Buckets) -> None:
    path = tmp_path / "mart.duckdb"
    info = mart.build(City().archive(tmp_path, buckets), path)
    assert info.rows == 0
    assert rows(path, "SELECT count(*) FROM threads") == [(0,)]
    assert [one.entry.name for one in views.describe(path) if not one.entry.comment] == []


def test_loops_orphans_and_deep_threads_all_have_a_place(tmp_path: Path, buckets: Buckets) -> None:
    city = City()
    page = city.page("x", b"{}", START)
    city.version("post", "root", 1, "first_seen", page, b"{}", root_id=record_id("root"))
    for number in range(300):
        parent = "root" if number == 0 else f"deep{number - 1}"
        city.version(
            "comment",
            f"deep{number}",
            1,
            "first_seen",
            page,
            b"{}",
            parent_id=record_id(parent),
            root_id=record_id("root"),
        )
    city.version(
        "comment", "lost", 1, "first_seen", page, b"{}", parent_id=record_id("never seen"), root_id=record_id("root")
    )
    city.version(
        "comment", "elsewhere", 1, "first_seen", page, b"{}", parent_id=record_id("gone"), root_id=record_id("gone")
    )
    for one, other in (("egg", "hen"), ("hen", "egg"), ("self", "self")):
        city.version(
            "comment", one, 1, "first_seen", page, b"{}", parent_id=record_id(other), root_id=record_id("nowhere")
        )
    path = tmp_path / "mart.duckdb"
    mart.build(city.archive(tmp_path, buckets), path)
    places = {
        record.rpartition("/")[2]: (root.rpartition("/")[2], depth)
        for record, root, depth in rows(path, "SELECT record_id, root_id, depth FROM threads")
    }
    assert len(places) == 306
    assert places["deep299"] == ("root", 300)
    assert places["lost"] == ("root", 1)
    assert places["elsewhere"] == ("gone", 0)
    assert places["egg"] == places["hen"] == places["self"] == ("nowhere", 0)


def test_a_version_that_lies_there_twice_is_refused(tmp_path: Path, buckets: Buckets) -> None:
    city = small_city()
    city.rows["posts"].append(city.rows["posts"][0])
    with pytest.raises(MartError, match="more than once"):
        mart.build(city.archive(tmp_path, buckets), tmp_path / "mart.duckdb")
    assert not (tmp_path / "mart.duckdb").exists()


def test_further_tables_come_with_their_descriptions(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "mart.duckdb"
    holds = pa.table({"hold_id": ["h1"]})
    mart.build(
        archive, path, extra={"holds": holds}, comments={"holds": {"": "Holds in force.", "hold_id": "The hold."}}
    )
    [entry] = [one.entry for one in views.describe(path) if one.entry.name == "holds"]
    assert (entry.comment, entry.columns) == (
        "Holds in force.",
        (dictionary.Column("hold_id", "VARCHAR", "The hold."),),
    )
    with pytest.raises(MartError, match="cannot be the name"):
        mart.build(archive, path, extra={"posts": holds})


def test_readers_of_the_old_mart_go_on_while_a_new_one_takes_its_place(archive: Archive, built: Path) -> None:
    with duckdb.connect(str(built), read_only=True) as connection:
        mart.build(archive, built, clock=lambda: START)
        assert connection.execute("SELECT any_value(built_at) FROM mart_info").fetchone() == (BUILT_AT,)
    assert rows(built, "SELECT any_value(built_at) FROM mart_info") == [(START,)]
    assert not built.stat().st_mode & 0o222
    assert {file.name for file in built.parent.glob("mart.duckdb*")} == {"mart.duckdb", "mart.duckdb.lock"}


BUILD = """
import sys
from pathlib import Path
from warehouse import mart
from warehouse.endpoint import Endpoint
from warehouse.tables import Archive
url, key, secret, region, bucket, catalog, path = sys.argv[1:]
def slow(what, done, total):
    print(what, flush=True)
    sys.stdin.readline()
mart.build(Archive(catalog, Endpoint(url, region, key, secret), bucket), Path(path), progress=slow)
"""


@pytest.mark.parametrize("steps", [0, 12])
def test_a_build_killed_at_any_step_leaves_the_old_mart(
    built: Path, archive: Archive, city_buckets: Buckets, home: Path, steps: int
) -> None:
    old = built.read_bytes()
    endpoint = city_buckets.tables.endpoint
    arguments = [
        endpoint.url,
        endpoint.access_key,
        endpoint.secret_key,
        endpoint.region,
        city_buckets.tables.name,
        f"sqlite:///{home / 'catalog.db'}",
        str(built),
    ]
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(steps):
            assert process.stdout.readline()
            process.stdin.write("\n")
            process.stdin.flush()
        if not steps:
            while not built.with_name("mart.duckdb.building").exists():
                time.sleep(0.01)
        else:
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert built.with_name("mart.duckdb.building").exists()
    assert built.read_bytes() == old
    mart.build(archive, built)
    assert {file.name for file in built.parent.glob("mart.duckdb*")} == {"mart.duckdb", "mart.duckdb.lock"}


def test_a_full_disk_is_said_and_the_old_mart_stays(built: Path, archive: Archive) -> None:
    old = built.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(DiskFull, match="make room"):
            mart.build(archive, built)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert built.read_bytes() == old
    assert not built.with_name("mart.duckdb.building").exists()


def test_the_account_of_every_record_is_named(built: Path) -> None:
    assert rows(built, "SELECT DISTINCT account, account_id FROM versions") == [("port-alder", ACCOUNT)]
    assert os.access(built, os.R_OK)
