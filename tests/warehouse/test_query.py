"""SQL from people: what is answered, what is refused, and that nothing leaves or enters the child but the answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse import mart, query, query_child, query_process
from warehouse.query import BadSQL, ChildDied, Limits, NoMart, QueryError, Refused, TimedOut, TooMuch


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mart with a file beside it that nobody may read or change."""
    folder = tmp_path_factory.mktemp("mart")
    with duckdb.connect(str(folder / "mart.duckdb")) as connection:
        connection.execute(
            """
            CREATE TABLE posts AS
            SELECT 'bluesky:' || n AS record_id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + n * INTERVAL 1 HOUR AS seen_after,
                   CAST(NULL AS TIMESTAMPTZ) AS seen_until, CAST(NULL AS TIMESTAMPTZ) AS superseded_at,
                   CAST(NULL AS TIMESTAMPTZ) AS published_at, CAST(NULL AS TIMESTAMPTZ) AS platform_edited_at,
                   1 AS version, hash(n) AS record_key, 'text ' || n AS text
            FROM range(100000) AS numbers(n);
            CREATE VIEW versions AS SELECT 'post' AS kind, * FROM posts;
            """
        )
        for name in ("records_as_of", "posts_as_of"):
            connection.execute(mart.read_sql(name))
    (folder / "secret.csv").write_text("password\nhunter2\n")
    assert query.ask(folder / "mart.duckdb", "FROM posts").table().num_rows == 100_000
    return folder


@pytest.fixture
def asked(place: Path) -> Path:
    return place / "mart.duckdb"


ATTACKS = """
COPY posts TO '{folder}/out.csv'
COPY (SELECT 1) TO '{folder}/mart.duckdb'
EXPLAIN ANALYZE COPY posts TO '{folder}/out.csv'
EXPORT DATABASE '{folder}/out'
ATTACH '{folder}/other.duckdb'
INSTALL httpfs
LOAD '{folder}/x.duckdb_extension'
SET enable_external_access = true
RESET lock_configuration
SET lock_configuration = false
PRAGMA enable_profiling
PRAGMA database_list
CALL enable_logging()
CREATE TABLE mine AS SELECT 1
CREATE TEMP TABLE mine AS SELECT 1
CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')
DROP TABLE posts
DELETE FROM posts
INSERT INTO posts SELECT * FROM posts
UPDATE posts SET text = ''
CHECKPOINT
BEGIN TRANSACTION
PREPARE p AS SELECT 1
EXECUTE p
SELECT 1; DROP TABLE posts
SELECT 1; SELECT 2
WITH gone AS (DELETE FROM posts RETURNING *) SELECT * FROM gone
SELECT * FROM enable_logging(storage = 'file', storage_path = '{folder}/log')
FROM enable_logging()
FROM "ENABLE_LOGGING"()
FROM main.enable_logging()
SELECT (SELECT count(*) FROM enable_logging())
WITH hidden AS (SELECT * FROM enable_logging()) SELECT * FROM hidden
SELECT * FROM posts WHERE EXISTS (FROM enable_logging())
SELECT * FROM posts, LATERAL (SELECT * FROM enable_profiling())
DESCRIBE SELECT * FROM enable_logging()
SUMMARIZE SELECT * FROM enable_logging()
SELECT 1 UNION ALL SELECT 2 FROM truncate_duckdb_logs()
FROM checkpoint()
FROM force_checkpoint()
FROM '{folder}/secret.csv'
FROM read_csv('{folder}/secret.csv')
FROM read_csv_auto('/proc/self/environ')
FROM read_text('/etc/passwd')
FROM read_blob('/proc/self/maps')
FROM read_parquet('{folder}/*.parquet')
FROM parquet_metadata('{folder}/x.parquet')
FROM read_json('http://127.0.0.1:1/x.json')
FROM read_duckdb('{folder}/mart.duckdb')
FROM glob('/*')
FROM sniff_csv('{folder}/secret.csv')
FROM duckdb_secrets()
FROM which_secret('s3://x', 's3')
FROM duckdb_settings()
FROM query('DROP TABLE posts')
FROM query_table('posts')
FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
FROM arrow_scan(1::POINTER, 2::POINTER, 3::POINTER)
FROM pandas_scan(1)
FROM python_map_function(1)
FROM seq_scan()
FROM test_all_types()
SELECT getenv('HOME')
SELECT write_log('x')
SELECT sleep_ms(100000)
SELECT nextval('s')
SELECT * FROM __import__
SELECT * FROM df
""".strip().splitlines()


@pytest.fixture(scope="module")
def child(place: Path) -> Any:
    """The connection as the child opens it, in this process: many attacks in little time."""
    return query_child._open({"mart": str(place / "mart.duckdb"), "memory_mebibytes": 256, "threads": 1})


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_changes_nothing(place: Path, child: Any, attack: str) -> None:
    sql = attack.format(folder=place)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    with pytest.raises((query_child.Refused, duckdb.Error)):
        _let_through(child, sql)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert child.execute("SELECT count(*) FROM posts").fetchone() == (100_000,)


def _let_through(child: Any, sql: str) -> None:
    query_child._inspect(child, sql)
    child.execute(sql).fetchall()


@pytest.mark.parametrize("attack", ATTACKS[::9])
def test_an_attack_is_refused_by_the_child(place: Path, asked: Path, attack: str) -> None:
    with pytest.raises((Refused, BadSQL)):
        query.ask(asked, attack.format(folder=place)).table()


def test_a_write_that_got_past_the_gate_meets_the_operating_system(asked: Path, tmp_path: Path) -> None:
    """The second wall: with the limits of the child no file takes a byte, whatever the database would do."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import query_child\n"
        "query_child._confine({'address_space_mebibytes': 3072, 'cpu_seconds': 5})\n"
        "import _duckdb\n"
        "c = _duckdb.connect(sys.argv[2], read_only=True)\n"
        'c.execute("COPY posts TO \'" + sys.argv[3] + "\'")\n'
    )
    arguments = [
        sys.executable,
        "-c",
        program,
        str(Path(query_process.PROGRAM).parent),
        str(asked),
        str(tmp_path / "out.csv"),
    ]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 0


def test_the_child_gets_no_environment(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONRECORD_S3_SECRET_KEY", "hunter2")
    running = query.start(asked, "SELECT count(*) FROM posts a, posts b, posts c", limits=Limits(seconds=30))
    try:
        assert b"hunter2" not in Path(f"/proc/{running._process.pid}/environ").read_bytes()
        assert b"posts" not in Path(f"/proc/{running._process.pid}/cmdline").read_bytes()
    finally:
        running.stop()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM posts",
        "FROM posts LIMIT 1;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "DESCRIBE posts",
        "SUMMARIZE posts",
        "SHOW TABLES",
        "VALUES (1)",
        "SELECT * FROM posts_as_of('2026-01-02') LIMIT 1",
        "SELECT unnest([1, 2]), (SELECT max(seen_after) FROM posts)",
        "SELECT * FROM range(3), generate_series(1, 2)",
        "FROM duckdb_columns() WHERE comment IS NULL",
        "FROM (SELECT text, seen_after::DATE AS d FROM posts LIMIT 9) PIVOT (count(*) FOR d IN ('2026-01-01'))",
        "SELECT 'posts; DROP TABLE posts' -- enable_logging()",
    ],
)
def test_a_question_is_answered(asked: Path, sql: str) -> None:
    assert query.ask(asked, sql).table().num_columns > 0


def test_a_process_started_ahead_answers_one_question(asked: Path) -> None:
    child = query_process.prepare()
    assert query.start(asked, "SELECT 42 AS n", child=child).answer().table()["n"].to_pylist() == [42]
    assert child.returncode == 0


def test_a_process_started_ahead_ends_with_the_one_who_did_not_ask() -> None:
    program = "from warehouse.query_process import prepare; print(prepare().pid)"
    begun = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    proc = Path("/proc") / begun.stdout.strip()
    deadline = time.monotonic() + 30
    while proc.exists() and "State:\tZ" not in (proc / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert begun.stderr == ""


def test_the_child_loads_two_libraries_whatever_else_is_installed(asked: Path) -> None:
    with query.ask(asked, "SELECT n, $x AS x FROM range(1000000000) AS t(n)", params={"x": "x"}) as answer:
        next(iter(answer))
        maps = Path(f"/proc/{answer._running._process.pid}/maps").read_text()
    assert {"_duckdb", "pyarrow"} == {name for name in ("_duckdb", "pyarrow", "numpy", "pandas") if f"/{name}" in maps}


def test_times_are_utc_wherever_the_server_stands(asked: Path) -> None:
    answer = query.ask(
        asked, "SELECT current_setting('TimeZone') AS zone, date_trunc('day', seen_after) AS day FROM posts LIMIT 1"
    ).table()
    assert answer["zone"].to_pylist() == ["UTC"]
    assert answer["day"][0].as_py().isoformat() == "2026-01-01T00:00:00+00:00"


def test_parameters_are_bound_not_pasted(asked: Path) -> None:
    assert query.ask(asked, "SELECT $x AS x", params={"x": "'; DROP TABLE posts; --"}).table()["x"].to_pylist() == [
        "'; DROP TABLE posts; --"
    ]
    since = query.ask(
        asked, "SELECT count(*) AS n FROM posts WHERE seen_after < $day", params={"day": "2026-01-02"}
    ).table()
    assert since["n"].to_pylist() == [24]
    with pytest.raises(BadSQL, match="day"):
        query.ask(asked, "SELECT count(*) FROM posts WHERE seen_after < $day")


def test_a_wrong_name_is_answered_with_the_right_one(asked: Path) -> None:
    with pytest.raises(BadSQL, match=r'Did you mean "posts"(.|\n)*onrecord views'):
        query.ask(asked, "SELECT * FROM post")
    with pytest.raises(BadSQL, match=r'Candidate bindings: "text"(.|\n)*onrecord views'):
        query.ask(asked, "SELECT txet FROM posts")
    with pytest.raises(BadSQL, match="syntax error"):
        query.ask(asked, "SELEKT 1")
    with pytest.raises(Refused, match="nothing"):
        query.ask(asked, "  -- only a comment")


def test_an_error_in_the_middle_of_the_answer_is_not_a_short_answer(asked: Path) -> None:
    late = "SELECT CASE WHEN n < 900000 THEN n ELSE CAST('x' || n AS BIGINT) END AS n FROM range(1000000) AS t(n)"
    sizes: list[int] = []
    with query.ask(asked, late, limits=Limits(threads=1)) as answer, pytest.raises(BadSQL, match="Conversion"):
        sizes.extend(batch.num_rows for batch in answer)
    assert 0 < sum(sizes) < 900_000


def test_a_question_without_end_is_stopped(asked: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut, match=r"0\.5 seconds"):
        query.ask(
            asked,
            "SELECT count(*) FROM posts a, posts b, posts c WHERE a.text > b.text || c.text",
            limits=Limits(seconds=0.5),
        ).table()
    assert time.monotonic() - begun < 10


def test_a_question_left_alone_uses_up_its_processor_time_and_ends(asked: Path) -> None:
    running = query.start(
        asked,
        "SELECT count(*) FROM posts a, posts b, posts c WHERE a.text > b.text || c.text",
        limits=Limits(seconds=-2, threads=2),
    )
    assert running.limits.cpu_seconds == 1
    assert running._process.wait(60) != 0
    running.stop()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 4000000000)",
        "SELECT list(a.text || b.text) FROM posts a, posts b",
        "SELECT a.text FROM posts a, posts b ORDER BY a.text || b.text",
    ],
)
def test_memory_has_an_end(asked: Path, sql: str) -> None:
    with pytest.raises((TooMuch, ChildDied), match=r"memory|smaller"):
        query.ask(asked, sql, limits=Limits(memory_mebibytes=256, seconds=30)).table()


def test_an_answer_has_an_end(asked: Path) -> None:
    with pytest.raises(TooMuch, match="more than 1,000 rows"):
        query.ask(asked, "FROM posts", limits=Limits(rows=1000)).table()
    with pytest.raises(TooMuch, match="larger than 1 MiB"):
        query.ask(asked, "FROM posts", limits=Limits(bytes=1024**2)).table()


def test_who_reads_slowly_is_not_late(asked: Path) -> None:
    rows = 0
    with query.ask(asked, "FROM posts", limits=Limits(seconds=2)) as answer:
        for batch in answer:
            rows += batch.num_rows
            time.sleep(0.3)
    assert rows == answer.rows == 100_000
    assert answer.seconds is not None
    assert answer.seconds > 2


def test_a_large_answer_flows_through_little_memory(asked: Path) -> None:
    with query.ask(
        asked, "SELECT n, repeat('x', 100) AS x FROM range(2000000) AS t(n)", limits=Limits(memory_mebibytes=128)
    ) as answer:
        assert sum(batch.num_rows for batch in answer) == 2_000_000


def test_an_answer_given_up_leaves_no_process(asked: Path) -> None:
    with query.ask(asked, "SELECT n FROM range(1000000000) AS t(n)") as answer:
        next(iter(answer))
        process = answer._running._process
    assert process.returncode is not None


def test_a_long_question_and_deep_nesting_get_an_answer_or_a_reason(asked: Path) -> None:
    long = "SELECT " + ", ".join(f"'{'x' * 100}' AS c{number}" for number in range(3000))
    assert query.ask(asked, long).table().num_columns == 3000
    with pytest.raises(QueryError):
        query.ask(asked, "SELECT " + "(" * 20_000 + "1" + ")" * 20_000).table()


def test_several_ask_at_once(asked: Path) -> None:
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(query.ask(asked, "FROM posts").table().num_rows))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [100_000] * 4


def test_without_a_mart_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoMart, match="onrecord mart build"):
        query.ask(tmp_path / "mart.duckdb", "SELECT 1")
    (tmp_path / "mart.duckdb").write_bytes(os.urandom(5000))
    with pytest.raises(QueryError):
        query.ask(tmp_path / "mart.duckdb", "SELECT 1")


def test_asking_does_not_load_what_only_answers_need() -> None:
    program = "import sys, warehouse.query; print(sorted({'pyarrow', 'duckdb', 'numpy', 'sqlalchemy', 'boto3'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )
