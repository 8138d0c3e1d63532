"""Answers written out: exact, complete, and unable to harm what shows them."""

from __future__ import annotations

import csv
import io
import json
import resource
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from warehouse import cells, formats, query
from warehouse.faults import DiskFull
from warehouse.formats import Format, NotWritable

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = """
    SELECT 1 AS a, 2 AS a, 'x' || chr(10) || 'y, "z"' AS text, NULL AS nothing, '' AS empty, true AS yes, -5 AS minus, '-5' AS dash, 1.50::DECIMAL(9, 2) AS money,
           TIMESTAMPTZ '2026-03-01 12:00:00.5+00' AS moment, DATE '2026-03-01' AS day, INTERVAL '1 month 3 days 04:05:06' AS span, [1, NULL] AS list,
           {'k': DATE '2020-01-01'} AS structure, 170141183460469231731687303715884105727 AS huge, 'nan'::DOUBLE AS nan, 'ab'::BLOB AS bytes,
           TIMESTAMP_NS '2020-01-01 00:00:00.123456789' AS nanoseconds, DATE '-infinity' AS never, MAP {'m': 1} AS map
"""


@pytest.fixture(scope="module")
def mart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mart") / "mart.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE posts AS SELECT 'post ' || n AS record_id, repeat('word ', 40) AS text, n FROM range(30000) AS t(n)"
        )
    return path


def written(mart: Path, sql: str, form: Format, **options: Any) -> str:
    stream = io.BytesIO()
    formats.write(query.ask(mart, sql), form, stream, **options)
    return stream.getvalue().decode()


def test_csv_is_rfc_4180_and_reads_back(mart: Path) -> None:
    text = written(mart, EVERYTHING, "csv")
    assert text.endswith("\r\n")
    [names, values] = list(csv.reader(io.StringIO(text, newline="")))
    row = dict(zip(names, values, strict=True))
    assert (row["a"], row["a_2"], row["text"], row["nothing"], row["yes"]) == ("1", "2", 'x\ny, "z"', "", "true")
    assert (row["moment"], row["day"], row["span"]) == (
        "2026-03-01T12:00:00.500000Z",
        "2026-03-01",
        "1 month 3 days 04:05:06",
    )
    assert (row["list"], row["structure"], row["money"], row["huge"]) == (
        "[1,null]",
        '{"k":"2020-01-01"}',
        "1.50",
        str(2**127 - 1),
    )
    assert (row["minus"], row["dash"], row["bytes"]) == ("-5", "-5", "6162")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"])  # noqa: RUF001
def test_csv_formulas_are_guarded_when_asked(mart: Path, start: str) -> None:
    with query.ask(mart, "SELECT $x AS value, -5 AS number", params={"x": start}) as answer:
        stream = io.BytesIO()
        formats.write(answer, "csv", stream, guard=True)
    [_, row] = list(csv.reader(io.StringIO(stream.getvalue().decode(), newline="")))
    assert row == ["'" + start, "-5"]


def test_json_is_one_array_of_objects(mart: Path) -> None:
    [row] = json.loads(written(mart, EVERYTHING, "json"))
    assert (row["a"], row["a_2"], row["nothing"], row["empty"], row["list"], row["nan"]) == (
        1,
        2,
        None,
        "",
        [1, None],
        None,
    )
    assert (row["moment"], row["money"], row["huge"]) == ("2026-03-01T12:00:00.500000Z", "1.50", str(2**127 - 1))
    assert json.loads(written(mart, "FROM posts WHERE false", "json")) == []
    assert [one["n"] for one in json.loads(written(mart, "FROM posts ORDER BY n", "json"))] == list(range(30_000))


def test_parquet_keeps_types(mart: Path, tmp_path: Path) -> None:
    formats.write_file(query.ask(mart, EVERYTHING), "parquet", tmp_path / "all.parquet")
    columns = ["a", "a_2", "yes", "list", "moment", "span"]
    [row] = pq.read_table(tmp_path / "all.parquet", columns=columns).to_pylist()
    assert (row["a"], row["a_2"], row["yes"], row["list"]) == (1, 2, True, [1, None])
    assert row["moment"].isoformat() == "2026-03-01T12:00:00.500000+00:00"
    assert row["span"] == "1 month 3 days 04:05:06"


def test_a_table_fits_the_screen_and_counts_its_rows(mart: Path) -> None:
    lines = written(mart, "SELECT record_id, text, n FROM posts ORDER BY n LIMIT 3", "table", columns=60).splitlines()
    assert all(cells.width(line) <= 60 for line in lines)
    assert lines[2].startswith("post 0")
    assert "…" in lines[2]
    assert lines[2].endswith("0")
    assert lines[-1] == "3 rows"
    assert written(mart, "SELECT 1 AS one", "table").splitlines()[-1] == "1 row"
    assert written(mart, "FROM posts", "table", first=2).splitlines()[-1].startswith("the first 2 of 30,000 rows")
    assert written(mart, "FROM posts WHERE false", "table").splitlines()[-1] == "0 rows"


def test_headers_stay_whole_where_they_fit(mart: Path) -> None:
    lines = written(
        mart,
        "SELECT record_id AS a_rather_long_name, n AS another_long_name, text FROM posts LIMIT 1",
        "table",
        columns=50,
    ).splitlines()
    assert lines[0].split() == ["a_rather_long_name", "another_long_name", "text"]


def test_what_is_too_wide_for_a_screen_stands_line_by_line(mart: Path) -> None:
    lines = written(mart, EVERYTHING, "table", columns=80).splitlines()
    assert lines[0].startswith("── row 1 ")
    assert any(line.split() == ["moment", "2026-03-01T12:00:00Z"] for line in lines)


def test_a_record_cannot_steer_the_terminal(mart: Path) -> None:
    hostile = "a\x1b[2J\x07b\u202ec\x9bd\u2028e\u200d"
    with query.ask(mart, "SELECT $x AS text", params={"x": hostile}) as answer:
        stream = io.BytesIO()
        formats.write(answer, "table", stream)
    shown = stream.getvalue().decode().splitlines()[2]
    assert shown == "a�[2J�b�c�d�e\u200d"
    assert written(mart, "SELECT 'a' || chr(10) || 'b' AS t", "table").splitlines()[2] == "a⏎b"


def test_wide_scripts_stay_in_their_columns(mart: Path) -> None:
    lines = written(
        mart, "SELECT * FROM (VALUES ('図書館', 1), ('Zürich', 2), ('e' || chr(769), 3)) AS t(name, n)", "table"
    ).splitlines()
    assert {cells.width(line) for line in lines[2:5]} == {9}


def test_a_file_appears_whole_or_not_at_all(mart: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    late = "SELECT CASE WHEN n < 900000 THEN n ELSE CAST('x' || n AS BIGINT) END AS n FROM range(1000000) AS t(n)"
    with pytest.raises(query.BadSQL):
        formats.write_file(query.ask(mart, late), "csv", target)
    assert target.read_text() == "old"
    formats.write_file(query.ask(mart, "SELECT 1 AS n"), "csv", target)
    assert target.read_bytes() == b"n\r\n1\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_that_cannot_be_written_is_said(mart: Path, tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="No such file or directory"):
        formats.write_file(query.ask(mart, "SELECT 1"), "csv", tmp_path / "nowhere" / "out.csv")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(DiskFull, match="make room"):
            formats.write_file(query.ask(mart, "FROM posts"), "csv", tmp_path / "out.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not any(tmp_path.iterdir())
