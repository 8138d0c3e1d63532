"""What ``onrecord sql`` adds to a question: the command's time less the question's own in an open connection.

The two are timed in pairs, one right after the other, on the same mart. Wall time is what a person waits for, so here it counts; beside
it stands how long a fresh Python takes only to load DuckDB, which tells how busy the machine is. On a busy one look at that ratio.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import duckdb
import pages
import report

from pipeline.steps import mart_from, normalize_all

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/sql.py
  .venv/bin/python benchmarks/sql.py --posts 1000000 --repeats 21
  .venv/bin/python benchmarks/sql.py --query "SELECT count(*) FROM records WHERE text ILIKE '%pothole%'"
"""
QUERY = "SELECT author_id, date_trunc('month', published_at) AS month, count(*) AS posts FROM records GROUP BY ALL ORDER BY ALL"
ROOT = Path(__file__).resolve().parent.parent


def mart_of(home: Path, posts: int) -> Path:
    """A mart of that many posts, built as ever."""
    with pages.locked(home, posts) as (made, storage):
        normalize_all(made, storage)
        mart_from(made, storage)
    return made.settings.mart


def measure(home: Path, posts: int, repeats: int, query: str) -> list[report.Line]:
    """Milliseconds, each the median."""
    mart = mart_of(home, posts)
    environment = {**os.environ, "ONRECORD_HOME": str(home), "ONRECORD_CONFIG": str(home / "none.toml")}
    command = [sys.executable, "-m", "cli", "sql", query, "--format", "csv", "--file", str(home / "answer.csv")]
    cold = [sys.executable, "-c", "import duckdb"]

    def ask() -> None:
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    with duckdb.connect(str(mart), read_only=True) as connection:
        pairs = []
        for _ in range(repeats + 1):
            whole, own = _milliseconds(ask), _milliseconds(lambda: connection.execute(query).to_arrow_table())
            loaded = _milliseconds(lambda: subprocess.run(cold, check=True))
            pairs.append((whole, own, loaded))
    wholes, owns, loads = zip(*pairs[1:], strict=True)
    added = [whole - own for whole, own in zip(wholes, owns, strict=True)]
    return [
        report.Line(f"the question itself, {posts:,} records, open connection", median(owns)),
        report.Line("onrecord sql, whole command", median(wholes)),
        report.Line("  added by the command", median(added), median(added) / median(loads), "at most 300 ms"),
        report.Line("  the least it added", min(added), min(added) / min(loads)),
        report.Line('python -c "import duckdb"', median(loads), 1.0),
    ]


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=100_000, help="records of the mart (default: 100,000)")
    parser.add_argument("--repeats", type=int, default=11, help="pairs timed (default: 11)")
    parser.add_argument("--query", default=QUERY, help="the question asked")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.posts, chosen.repeats, chosen.query)
    report.show("onrecord sql", lines, unit="ms")


if __name__ == "__main__":
    main()
