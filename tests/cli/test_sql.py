"""``onrecord sql``: every form of an answer, what is refused, and what is noted."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from commands import ROOT, ok, run

from compliance import audit_log
from warehouse.database import open_database

if TYPE_CHECKING:
    from pathlib import Path

    from demo_fixtures import Demo

QUESTION = "SELECT record_id, text, published_at FROM records ORDER BY record_id LIMIT 5"


def noted(home: Path) -> list[str]:
    """The SQL in the audit log, oldest first."""
    engine = open_database(f"sqlite:///{home / 'onrecord.db'}")
    return [str(entry.detail.get("sql")) for entry in audit_log.entries(engine) if entry.action == "sql"]


def test_an_answer_is_the_same_in_every_format(demo: Demo, tmp_path: Path) -> None:
    as_csv = list(csv.DictReader(io.StringIO(ok(demo.environment, "sql", QUESTION, "--format", "csv"))))
    as_json = json.loads(ok(demo.environment, "sql", QUESTION, "--format", "json"))
    ok(demo.environment, "sql", QUESTION, "--format", "parquet", "--file", str(tmp_path / "a.parquet"))
    as_parquet = pq.read_table(tmp_path / "a.parquet").to_pylist()
    ids = [row["record_id"] for row in as_csv]
    assert len(ids) == 5
    assert [row["record_id"] for row in as_json] == ids
    assert [row["record_id"] for row in as_parquet] == ids
    assert [row["text"] for row in as_json] == [row["text"] for row in as_parquet]
    assert "5 rows" in ok(demo.environment, "sql", QUESTION)


def test_a_question_comes_from_a_file_or_standard_input_with_parameters(demo: Demo, tmp_path: Path) -> None:
    question = "SELECT DISTINCT account FROM records WHERE account = $name"
    (tmp_path / "q.sql").write_text(question)
    arguments = ("--param", "name=ward-3", "--format", "csv")
    assert ok(demo.environment, "sql", "--query-file", str(tmp_path / "q.sql"), *arguments).split() == [
        "account",
        "ward-3",
    ]
    assert ok(demo.environment, "sql", "--query-file", "-", *arguments, given=question).split() == ["account", "ward-3"]
    run(demo.environment, "sql", "--query-file", str(tmp_path / "none.sql")).refused(2, "none.sql")
    run(demo.environment, "sql", question, "--param", "name").refused(2, "NAME=VALUE")
    run(demo.environment, "sql").refused(2, "--query-file")
    run(demo.environment, "sql", question).refused(2, "name")


def test_an_output_is_whole_or_not_there(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ok(demo.environment, "sql", QUESTION, "--format", "csv", "--file", str(out))
    assert len(list(csv.reader(out.open(newline="")))) == 6
    run(demo.environment, "sql", "SELECT nonsense", "--file", str(tmp_path / "no.csv")).refused(2, "nonsense")
    assert not (tmp_path / "no.csv").exists()
    run(demo.environment, "sql", QUESTION, "--file", str(tmp_path / "no" / "out.csv")).refused(5, "out.csv")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM posts",
        "COPY posts TO 'stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH 'other.db'",
        "SELECT 1; SELECT 2",
        "SET memory_limit = '100GB'",
        "SELEC 1",
    ],
)
def test_what_is_no_question_to_the_mart_is_refused_and_noted(demo: Demo, sql: str) -> None:
    run(demo.environment, "sql", sql).refused(2)
    assert noted(demo.home)[-1] == sql


def test_limits_end_a_question_as_a_rule_does(demo: Demo) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    run(demo.environment, "sql", endless, "--seconds", "1").refused(3)
    run(demo.environment, "sql", "SELECT * FROM range(100)", "--rows", "10").refused(3, "10 rows")
    assert endless in noted(demo.home)


def test_a_question_is_noted_even_where_there_is_nothing_to_ask(tmp_path: Path) -> None:
    environment = {"ONRECORD_HOME": str(tmp_path), "ONRECORD_CONFIG": str(tmp_path / "none.toml")}
    run(environment, "sql", QUESTION).refused(3, "onrecord mart build")
    assert noted(tmp_path) == [QUESTION]


def test_writing_an_answer_loads_no_library_for_calculations(demo: Demo) -> None:
    arguments = [sys.executable, "-X", "importtime", "-m", "cli", "sql", QUESTION, "--format", "csv"]
    done = subprocess.run(arguments, cwd=ROOT, env=demo.environment, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "." in line}
    assert loaded & {"pyarrow", "numpy", "pandas", "sqlalchemy"} == {"pyarrow"}
