"""The package that answers a request: whole, provable, readable, and safe to open."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import resource
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from small_city import ACCOUNT, ACCOUNTS, BUILT_AT, START, TEXTS, City, fresh_buckets, item, record_id, small_city

from compliance import bag, native, productions
from compliance.production_faults import BagBroken, NotAnswerable, PlaceTaken
from warehouse import mart, seaweed
from warehouse.bucket import Bucket
from warehouse.faults import DiskFull, StorageUnavailable
from warehouse.query import BadSQL, Refused

if TYPE_CHECKING:
    from compliance.productions import Production
    from warehouse.bucket import Buckets
    from warehouse.endpoint import Endpoint

ALL = "SELECT record_id FROM records ORDER BY published_at"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def city_buckets(s3_endpoint: Endpoint) -> Buckets:
    return fresh_buckets(s3_endpoint, "productions")


@pytest.fixture(scope="module")
def city_mart(tmp_path_factory: pytest.TempPathFactory, city_buckets: Buckets) -> Path:
    home = tmp_path_factory.mktemp("city")
    path = home / "mart.duckdb"
    mart.build(small_city().archive(home, city_buckets), path, extra={"accounts": ACCOUNTS}, clock=lambda: BUILT_AT)
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, city_mart: Path, city_buckets: Buckets) -> Production:
    """One package that many tests look at."""
    return produce(city_mart, city_buckets.evidence, tmp_path_factory.mktemp("out") / "City-2026-001", sql=ALL)


def produce(path: Path, bucket: Bucket, out: Path, *, sql: str, **more: Any) -> Production:
    given: dict[str, Any] = {
        "organization": "City of Port Alder",
        "clock": lambda: BUILT_AT,
        "software": "onrecord test",
    }
    return productions.respond(
        path, bucket, request="City-2026-001", sql=sql, out=out, actor="os:ines", **{**given, **more}
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sheet(path: Path, number: int) -> list[list[str]]:
    """The cells of a sheet as text, row by row."""
    with zipfile.ZipFile(path) as book:
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314  (written by ourselves)
    return [["".join(cell.itertext()) for cell in row.iter(f"{SHEET}c")] for row in root.iter(f"{SHEET}row")]


def test_the_package_is_a_bag_that_the_bagit_tool_accepts(package: Production) -> None:
    tool = Path(sys.executable).with_name("bagit.py")
    done = subprocess.run(
        [sys.executable, str(tool), "--validate", str(package.path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (package.path / "bagit.txt").read_text().startswith("BagIt-Version: 1.0\n")
    info = dict(line.split(": ", 1) for line in (package.path / "bag-info.txt").read_text().splitlines())
    assert (info["External-Identifier"], info["Source-Organization"]) == ("City-2026-001", "City of Port Alder")
    assert (info["Bagging-Date"], info["Onrecord-Records"], info["Onrecord-Missing"]) == ("2026-04-01", "7", "0")


def test_a_requester_with_no_tool_of_ours_can_check_it(package: Production) -> None:
    command = ["sha256sum", "--check", "--strict", "manifest-sha256.txt", "tagmanifest-sha256.txt"]
    assert subprocess.run(command, cwd=package.path, capture_output=True, check=False).returncode == 0


def test_a_changed_byte_is_noticed(package: Production, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(package.path), str(copy)], check=True)
    bag.check(copy)
    (copy / "data" / "query.sql").write_text("SELECT 2\n")
    with pytest.raises(BagBroken):
        bag.check(copy)


def test_every_record_is_there_once_with_its_text(package: Production) -> None:
    records = table(package.path / "data" / "records.csv")
    assert [one["number"] for one in records] == [str(number) for number in range(1, 8)]
    texts = {one["record_id"]: one["text"] for one in records}
    assert texts[record_id("question")] == TEXTS["question edited"]
    assert texts[record_id("answer")] == TEXTS["answer"]
    states = {one["record_id"]: one["state"] for one in records}
    assert (states[record_id("rude")], states[record_id("regretted")]) == ("hidden", "deleted")
    assert {one["account_title"] for one in records} == {"City of Port Alder"}
    assert (package.records, package.natives, package.threads, package.missing) == (7, 9, 2, 0)


def test_native_data_is_what_the_platform_sent_byte_for_byte(package: Production) -> None:
    listed = [one for one in table(package.path / "data" / "manifest.csv") if one["role"] in {"content", "state"}]
    assert len(listed) == 9
    for one in listed:
        content = (package.path / "data" / one["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == one["sha256"] == one["payload_sha256"]
        assert one["evidence_key"].startswith("evidence/bluesky/")
    [formula] = [one for one in listed if one["record_id"] == record_id("formula")]
    assert (package.path / "data" / formula["file"]).read_bytes() == item("formula", TEXTS["formula"])


def test_a_deleted_record_brings_what_it_said_and_what_shows_that_it_is_gone(package: Production) -> None:
    listed = [
        one for one in table(package.path / "data" / "manifest.csv") if one["record_id"] == record_id("regretted")
    ]
    files = {one["role"]: (package.path / "data" / one["file"]).read_bytes() for one in listed}
    assert json.loads(files["content"])["record"]["text"] == TEXTS["regretted"]
    assert json.loads(files["state"]) == {"posts": []}
    assert b">>>         No. 7: " in files["thread"]


def test_nothing_in_a_record_runs_in_a_spreadsheet(package: Production) -> None:
    [formula] = [
        one for one in table(package.path / "data" / "records.csv") if one["record_id"] == record_id("formula")
    ]
    assert formula["text"] == "'" + TEXTS["formula"]
    assert formula["author_name"].startswith("'=cmd")
    with zipfile.ZipFile(package.path / "data" / "records.xlsx") as book:
        content = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in content
        assert "<hyperlink" not in content
    assert any(TEXTS["formula"] in row for row in sheet(package.path / "data" / "records.xlsx", 1))


def test_the_workbook_has_readable_headers_and_explains_its_columns(package: Production) -> None:
    book = package.path / "data" / "records.xlsx"
    header = sheet(book, 1)[0]
    assert header[:4] == ["No.", "Kind", "City account", "Published (UTC)"]
    explained = sheet(book, 2)[1:]
    assert [line[0] for line in explained] == header
    assert all(line[2] for line in explained)
    assert ["Request", "City-2026-001"] in sheet(book, 3)


def test_times_are_local_where_a_zone_is_given(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    done = produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL, zone=ZoneInfo("America/Chicago"))
    header, first, *_ = sheet(done.path / "data" / "records.xlsx", 1)
    assert header[3] == "Published (America/Chicago)"
    assert float(first[3]) == pytest.approx(46083.25)  # 2 March 2026, 06:00
    record = table(done.path / "data" / "records.csv")[0]
    assert record["published_at"] == "2026-03-02T12:00:00Z"
    assert "06:00:00 CST" in (done.path / "data" / record["thread_file"]).read_text()


def test_the_conversation_shows_context_and_marks_what_answers(
    city_mart: Path, city_buckets: Buckets, tmp_path: Path
) -> None:
    done = produce(
        city_mart,
        city_buckets.evidence,
        tmp_path / "out",
        sql="SELECT record_id FROM records WHERE author_handle = $who",
        params={"who": "troll.example"},
    )
    [thread] = (done.path / "data" / "threads").iterdir()
    text = thread.read_text()
    assert text.count(">>> ") == 2
    assert all(TEXTS[name] in text for name in ("rude", "regretted", "question edited"))
    assert "[hidden from the public: after 2026-03-02 14:00:00 UTC and before 2026-03-09 12:01:00 UTC]" in text
    assert json.loads((done.path / "data" / "snapshot.json").read_text())["parameters"] == {"who": "troll.example"}


def test_the_letter_says_what_it_is_in_plain_words(package: Production) -> None:
    letter = (package.path / "README.txt").read_text()
    assert (
        "2 posts and 5 comments that answer the request, from City of Port Alder, published on March 2, 2026." in letter
    )
    assert "Nothing that the query found is missing" in letter
    assert "{" not in letter
    for name in (
        "records.xlsx",
        "records.csv",
        "native",
        "threads",
        "data_dictionary.csv",
        "manifest.csv",
        "query.sql",
        "snapshot.json",
    ):
        assert f"data/{name}" in letter
        assert (package.path / "data" / name).exists()


def test_the_manifest_names_every_file_of_the_payload(package: Production) -> None:
    data = package.path / "data"
    listed = {one["file"]: one["sha256"] for one in table(data / "manifest.csv")}
    there = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()} - {"manifest.csv"}
    assert listed.keys() == there
    assert all(hashlib.sha256((data / name).read_bytes()).hexdigest() == digest for name, digest in listed.items())


def test_the_dictionary_explains_every_column_handed_over(package: Production) -> None:
    explained = {
        (one["file"], one["column"]) for one in table(package.path / "data" / "data_dictionary.csv") if one["meaning"]
    }
    for name in ("records.csv", "manifest.csv"):
        assert {(name, column) for column in table(package.path / "data" / name)[0]} <= explained


def test_an_earlier_version_can_be_asked_for(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    done = produce(
        city_mart,
        city_buckets.evidence,
        tmp_path / "out",
        sql="SELECT record_id, version FROM comments WHERE text LIKE 'Which%' ORDER BY version",
    )
    assert [(one["version"], one["text"]) for one in table(done.path / "data" / "records.csv")] == [
        ("1", TEXTS["question"]),
        ("2", TEXTS["question edited"]),
    ]


def test_what_the_query_computed_comes_along(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    sql = "SELECT record_id, length(text) AS characters, text FROM records WHERE kind = 'post' ORDER BY characters"
    done = produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=sql)
    assert [int(one["characters"]) for one in table(done.path / "data" / "records.csv")] == sorted(
        len(TEXTS[name]) for name in ("post", "second")
    )


def test_moderation_actions_can_be_handed_over(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    done = produce(city_mart, city_buckets.evidence, tmp_path / "out", sql="SELECT record_id FROM moderation_log")
    [action] = table(done.path / "data" / "records.csv")
    assert (action["kind"], action["text"]) == ("moderation_action", "hide")
    assert "No. 1" in (done.path / "data" / action["thread_file"]).read_text()


def test_a_record_named_twice_is_handed_over_once(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    done = produce(
        city_mart,
        city_buckets.evidence,
        tmp_path / "out",
        sql="SELECT record_id FROM records UNION ALL SELECT record_id FROM posts",
    )
    assert (done.records, done.repeated) == (7, 2)


def test_what_is_missing_is_said_and_the_rest_is_handed_over(tmp_path: Path, buckets: Buckets) -> None:
    city = small_city()
    other = city.page("getPosts", b"{}", START + timedelta(days=1))
    city.version("post", "foreign", 1, "first_seen", other, b'{"never": "sent"}', text="no such bytes")
    lost: dict[str, Any] = {"evidence_key": "evidence/bluesky/lost.warc.gz", "evidence_offset": 7}
    city.version("post", "lost", 1, "first_seen", other, b"{}", text="evidence destroyed", **lost)
    path = tmp_path / "mart.duckdb"
    mart.build(city.archive(tmp_path, buckets), path)
    done = produce(
        path, buckets.evidence, tmp_path / "out", sql="SELECT record_id FROM records UNION ALL SELECT 'bluesky:never'"
    )
    assert (done.records, done.missing, done.unknown) == (9, 2, 1)
    notes = {
        one["record_id"]: one["note"]
        for one in table(done.path / "data" / "manifest.csv")
        if one["status"] == "missing"
    }
    assert "no item of the exchange has the hash" in notes[record_id("foreign")]
    assert "not in the bucket" in notes[record_id("lost")]
    assert "no such record" in notes["bluesky:never"]
    letter = (done.path / "README.txt").read_text()
    assert "Original data: 2 of" in letter
    assert "Records: 1 named by the query is not in the archive" in letter
    assert {one["text"] for one in table(done.path / "data" / "records.csv")} >= {"evidence destroyed", "no such bytes"}


@pytest.mark.parametrize(
    ("sql", "fault", "says"),
    [
        ("SELECT text FROM posts", NotAnswerable, "record_id"),
        ("SELECT NULL AS record_id", NotAnswerable, "have no record_id"),
        ("SELECT record_id FROM posts WHERE false", NotAnswerable, "finds no record"),
        ("SELECT record_id, 'two' AS version FROM posts", NotAnswerable, "whole number"),
        ("SELECT record_id FROM poost", BadSQL, "Did you mean"),
        ("DROP TABLE posts", Refused, "read-only"),
    ],
)
def test_a_query_that_names_no_records_leaves_nothing(
    city_mart: Path, city_buckets: Buckets, tmp_path: Path, sql: str, fault: type[Exception], says: str
) -> None:
    with pytest.raises(fault, match=says):
        produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=sql)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL)
    with pytest.raises(PlaceTaken, match="not empty"):
        produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL)
    (tmp_path / "file").write_text("mine")
    for name in ("file", "file/below"):
        with pytest.raises(PlaceTaken):
            produce(city_mart, city_buckets.evidence, tmp_path / name, sql=ALL)
    assert (tmp_path / "file").read_text() == "mine"


def test_leftovers_of_a_dead_process_are_removed_and_those_of_a_living_one_are_not(
    city_mart: Path, city_buckets: Buckets, tmp_path: Path
) -> None:
    half = tmp_path / ".out.part"
    half.mkdir()
    (half / "stale").write_text("half a package")
    handle = os.open(half, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(PlaceTaken, match="another process"):
        produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL)
    assert (half / "stale").exists()
    os.close(handle)
    produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL)
    assert not (tmp_path / "out" / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_store_that_is_away_stops_the_work_and_leaves_nothing(
    city_mart: Path, city_buckets: Buckets, tmp_path: Path
) -> None:
    there = city_buckets.evidence.endpoint
    away = seaweed.Endpoint("http://127.0.0.1:9", there.region, there.access_key, there.secret_key)
    with pytest.raises(StorageUnavailable):
        produce(city_mart, Bucket(away, city_buckets.evidence.name), tmp_path / "out", sql=ALL)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(city_mart: Path, city_buckets: Buckets, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(DiskFull, match="make room"):
            produce(city_mart, city_buckets.evidence, tmp_path / "out", sql=ALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_hostile_ids_cannot_leave_the_folder(tmp_path: Path, buckets: Buckets) -> None:
    city = City()
    page = city.page("x", b'{"a":{}}', START)
    for number, name in enumerate(("../../../etc/passwd", "a\nb", "CON", "é" * 300, "%0A")):
        city.version(
            "post",
            name,
            1,
            "first_seen",
            page,
            b"{}",
            text="x\x00y\x1b[2Jz",
            root_id=record_id(name),
            published_at=START + timedelta(minutes=number),
        )
    path = tmp_path / "mart.duckdb"
    mart.build(city.archive(tmp_path, buckets), path)
    done = produce(path, buckets.evidence, tmp_path / "out", sql=ALL)
    names = [file.name for file in (done.path / "data").rglob("*")]
    assert all(name.isascii() and len(name) < 60 and ".." not in name for name in names)
    assert "\x1b" not in next((done.path / "data" / "threads").iterdir()).read_text()
    assert {one["account_title"] for one in table(done.path / "data" / "records.csv")} == {ACCOUNT}


def test_an_item_is_found_whatever_stands_around_it() -> None:
    inner = b'{"text":"a \\" } { \\\\", "n": 1.50 }'
    pages = [
        inner,
        b" " + inner + b"\n",
        b"[" + inner + b"]",
        b'{"x":{"y":[1,' + inner + b'],"z":"{"}}',
        b'{"cut": [' + inner + b', {"te',
        b"}}" + inner,
    ]
    digest = hashlib.sha256(inner).hexdigest()
    for page in pages:
        assert native.find(page, {digest}) == {digest: inner}
    assert native.find(b'{"other": 1}', {digest}) == {}
    assert native.find(b"", {digest}) == {}


def test_a_very_deep_page_is_searched_in_reasonable_time() -> None:
    depth = 20_000
    page = b'{"a":' * depth + b'{"item":1}' + b"}" * depth
    digest = hashlib.sha256(b'{"item":1}').hexdigest()
    assert native.find(page, {digest}) == {digest: b'{"item":1}'}
