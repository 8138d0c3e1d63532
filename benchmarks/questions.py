"""How long a person waits for an answer about history: versions, moments of the past, and coverage, over millions of records.

The city is invented by SQL (``questions_city.sql``), the mart is built from it by the program's own build, with the build's memory limit,
and the questions go the way ``onrecord sql`` goes: a process of its own with its limits on memory. Wall time counts, the child's start included.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import report
from rich.progress import Progress

from warehouse import dictionary, duck, mart, query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from duckdb import DuckDBPyConnection

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/questions.py
  .venv/bin/python benchmarks/questions.py --records 10000000 --keep /var/tmp/questions
  .venv/bin/python benchmarks/questions.py --keep /var/tmp/questions --repeats 11      asks the mart that is there
"""
CITY = Path(__file__).with_name("questions_city.sql")
TARGET = "at most 2 s"
NOTHING = "SELECT 1, what any question costs"
QUESTIONS = {
    NOTHING: "SELECT 1",
    "versions of one record": "SELECT version, change, seen_before, seen_after, text FROM versions WHERE record_id = $record ORDER BY version",
    "edits of one account in a month": (
        "SELECT record_id, seen_after, text_before, text_after FROM edits"
        " WHERE account = $account AND seen_after >= '2024-05-01' AND seen_after < '2024-06-01'"
    ),
    "all edits, counted by account": "SELECT account, count(*) AS edits FROM edits GROUP BY ALL ORDER BY edits DESC",
    "deletions by cause": "SELECT platform, cause, count(*) AS records FROM deletions GROUP BY ALL ORDER BY ALL",
    "comments hidden now, of one account": "SELECT seen_after, text FROM hidden_comments WHERE account = $account AND still_hidden",
    "posts_as_of, one account": "SELECT published_at, state, certainty, text FROM posts_as_of('2024-05-17') WHERE account = $account",
    "posts_as_of, all counted": "SELECT state, certainty, count(*) AS posts FROM posts_as_of('2024-05-17') GROUP BY ALL",
    "comments_as_of, all counted": "SELECT state, certainty, count(*) AS comments FROM comments_as_of('2025-05-17') GROUP BY ALL",
    "thread_as_of, by its post": "SELECT depth, author_handle, state, certainty, text FROM thread_as_of($root, '2024-06-17') ORDER BY position",
    "thread_as_of, by a comment": "SELECT depth, author_handle, state, certainty, text FROM thread_as_of($record, '2024-06-17') ORDER BY position",
    "metrics_as_of, one record": "SELECT name, value FROM metrics_as_of('2024-06-17') WHERE record_id = $root",
    "coverage": "SELECT * FROM coverage ORDER BY account",
    "capture_freshness": "SELECT * FROM capture_freshness ORDER BY account, resource",
    "coverage_by_day, one account": "SELECT * FROM coverage_by_day WHERE account = $account ORDER BY day",
    "activity_by_week, all": "SELECT week, sum(posts) AS posts, sum(edits) AS edits FROM activity_by_week GROUP BY week ORDER BY week",
}
"""What is asked."""


def build(folder: Path, records: int, accounts: int, memory: str) -> Path:
    """Invent the city and build its mart; nothing where it is there already."""
    path = folder / "mart.duckdb"
    if path.exists():
        return path
    fresh = folder / "mart.building"
    for leftover in (fresh, fresh.with_name("mart.building.wal")):
        leftover.unlink(missing_ok=True)
    begun = time.monotonic()
    took: dict[str, float] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("inventing the city", total=None)

        def done(name: str) -> None:
            took[name] = time.monotonic() - begun - sum(took.values())
            progress.update(task, description=f"{name} built")

        _invent(folder, {"records": str(records), "accounts": str(accounts), "folder": str(folder)})
        done("inventing")
        _fill(fresh, folder, memory, done)
    slowest = ", ".join(f"{name} {took[name]:,.0f} s" for name in sorted(took, key=took.__getitem__)[-4:])
    print(f"{records:,} records: {sum(took.values()):,.0f} s to make ({slowest}), {fresh.stat().st_size / 1e9:.1f} GB")
    return fresh.replace(path)


def _fill(fresh: Path, folder: Path, memory: str, done: Callable[[str], None]) -> None:
    """Build the mart as the program does."""
    relations = {name: _relation(folder, name) for name in mart.SOURCES}
    connection = duck.connect(fresh, threads=2, memory_limit=memory, temp_directory=folder / "spill")
    with contextlib.closing(connection):
        connection.execute("SET enable_progress_bar = false")
        registry = connection.execute(f"FROM {_relation(folder, 'accounts')}").to_arrow_table()
        mart.fill(connection, relations, {"accounts": registry}, done, sightings=_relation(folder, "sightings"))
        connection.execute("CHECKPOINT")
        done("writing")


def _invent(folder: Path, values: Mapping[str, str]) -> None:
    """Write the city's tables as Parquet, the registry last; nothing where they are there already."""
    if (folder / "accounts.parquet").exists():
        return
    text = CITY.read_text()
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    with contextlib.closing(duck.connect(threads=2, temp_directory=folder / "spill")) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(text)


def _relation(folder: Path, name: str) -> str:
    file = folder / f"{name}.parquet"
    if file.exists():
        return f"read_parquet({duck.literal(str(file))})"
    columns = ", ".join(f"NULL::{duck.sql_type(field.type)} AS {field.name}" for field in dictionary.TABLES[name])
    return f"(SELECT {columns} WHERE false)"


def measure(path: Path, repeats: int) -> Iterator[report.Line]:
    """Seconds of each question, the median, and how many times what a question costs that asks nothing."""
    with contextlib.closing(duck.connect(path, read_only=True)) as connection:
        params = _examples(connection)
        there = {entry.name for entry in dictionary.entries(connection)}
    least = 0.0
    for name, sql in QUESTIONS.items():
        if "coverage_by_day" in sql and "coverage_by_day" not in there:
            continue
        used = {key: value for key, value in params.items() if f"${key}" in sql}
        seconds, rows = zip(*(_asked(path, sql, used) for _ in range(repeats)), strict=True)
        least = least or median(seconds)
        yield report.Line(f"{name} ({rows[0]:,} rows)", median(seconds), median(seconds) / least, TARGET)


def _asked(path: Path, sql: str, params: Mapping[str, str]) -> tuple[float, int]:
    """Seconds until the whole answer was read, and its rows."""
    begun = time.perf_counter()
    rows = query.ask(path, sql, params=params).table().num_rows
    return time.perf_counter() - begun, rows


def _examples(connection: DuckDBPyConnection) -> dict[str, str]:
    """An edited comment in a thread of an account of middling size."""
    row = connection.execute(
        """
        SELECT record_id, root_id, account FROM changes
        WHERE account = 'account-40' AND kind = 'comment' AND seen_after BETWEEN '2024-05-01' AND '2024-06-01'
        ORDER BY version DESC, record_id LIMIT 1
        """
    ).fetchone()
    return dict(zip(("record", "root", "account"), row or (), strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000, help="posts and comments (default: 1,000,000)")
    parser.add_argument("--accounts", type=int, help="City accounts (default: one to 10,000 records, at least 50)")
    parser.add_argument("--repeats", type=int, default=5, help="times each question is asked (default: 5)")
    parser.add_argument(
        "--memory", default=mart.MEMORY_LIMIT, help=f"what building may use (default: {mart.MEMORY_LIMIT}, as ever)"
    )
    parser.add_argument(
        "--keep", type=Path, help="folder for the mart, kept and used again (default: one that is removed)"
    )
    chosen = parser.parse_args()
    accounts = chosen.accounts or max(50, chosen.records // 10_000)
    with contextlib.ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onrecord-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        lines = list(measure(build(folder, chosen.records, accounts, chosen.memory), chosen.repeats))
    report.show("Questions about history", lines, unit="s")


if __name__ == "__main__":
    main()
