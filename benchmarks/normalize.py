"""How fast pages become tables: beside DuckDB's ``read_json`` with explicit columns, and beside dlt.

Everything runs on one core in a process of its own; what is compared are posts per processor second, the best of the repeats: other work
on the machine only ever adds.
The object store is a process of its own too: what it burns is not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pages
import pyarrow as pa
import pyarrow.parquet as pq
import report
import trial

from pipeline.shown import VERSION, cut
from pipeline.steps import normalize_all
from transforms.normalize import normalize
from transforms.observations import SCHEMAS
from warehouse.table_specs import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from transforms.observations import Batch

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/normalize.py
  .venv/bin/python benchmarks/normalize.py --posts 200000 --repeats 5
  .venv/bin/python benchmarks/normalize.py --dlt-posts 0
"""
WARM_POSTS = 500
AS_IN_THE_ARCHIVE = {
    "compression": PROPERTIES["write.parquet.compression-codec"],
    "compression_level": int(PROPERTIES["write.parquet.compression-level"]),
    "dictionary_pagesize_limit": int(PROPERTIES["write.parquet.dict-size-bytes"]),
}
EXPLICIT = Path(__file__).with_name("explicit.sql")


def read_json(warm: str, folder: str, out: str, layout: str) -> Callable[[], int]:
    """DuckDB: read the page files with explicit columns and write zstd Parquet."""
    connection = duckdb.connect(config={"threads": 1})
    sql = EXPLICIT.read_text()

    def work(source: str = folder) -> int:
        values = {"files": f"{source}/*.json", "layout": layout, "out": str(Path(out, "duckdb.parquet"))}
        [count] = connection.execute(sql, values).fetchone() or (0,)
        return int(count)

    work(warm)
    return work


def transform(warm: str, folder: str, out: str) -> Callable[[], int]:
    """Onrecord: read the page files, normalize them, hash and trace each item, and write zstd Parquet."""
    pa.set_cpu_count(1)

    def work(source: str = folder) -> int:
        rows = 0
        writers = {
            name: pq.ParquetWriter(Path(out, f"{name}.parquet"), schema, **AS_IN_THE_ARCHIVE)
            for name, schema in SCHEMAS.items()
        }
        for run in cut(pages.archived(sorted(Path(source).glob("*.json")))):
            batch = normalize(run, version=VERSION)
            _write(batch, writers)
            rows += batch.posts.num_rows
        for writer in writers.values():
            writer.close()
        return rows

    work(warm)
    return work


def _write(batch: Batch, writers: dict[str, pq.ParquetWriter]) -> None:
    for name, writer in writers.items():
        table = getattr(batch, name)
        if table.num_rows:
            writer.write_table(table)


def step(warm: str, home: str) -> Callable[[], int]:
    """Onrecord: the whole step, from evidence in the object store to tables committed there."""
    pa.set_cpu_count(1)
    with pages.workspace(Path(warm)).storage() as storage:
        normalize_all(pages.workspace(Path(warm)), storage)
    made = pages.workspace(Path(home))

    def work() -> int:
        with made.storage() as storage:
            return normalize_all(made, storage).rows["posts"]

    return work


def measure(folder: Path, posts: int, dlt_posts: int, repeats: int) -> list[report.Line]:
    """All rates, in posts per processor second."""
    warm, many, few = folder / "warm", folder / "pages", folder / "few"
    pages.written(warm, WARM_POSTS)
    pages.written(many, posts)
    files = {"warm": str(warm), "folder": str(many), "out": str(folder)}
    rounds = [
        (
            trial.run("normalize:read_json", **files, layout="auto"),
            trial.run("normalize:read_json", **files, layout="newline_delimited"),
            trial.run("normalize:transform", **files),
            _step(folder / f"step{number}", posts),
        )
        for number in range(repeats)
    ]
    baseline, told, ours, whole = (_rate(list(trials), posts) for trials in zip(*rounds, strict=True))
    lines = [
        report.Line("DuckDB read_json, explicit columns, zstd Parquet", baseline, 1.0),
        report.Line("  the same, told that each file is one line", told, told / baseline),
        report.Line("normalize: transform, hashes, zstd Parquet", ours, ours / baseline, "at least 0.35"),
        report.Line("normalize: whole step, evidence to committed tables", whole, whole / baseline),
    ]
    if dlt_posts:
        pages.written(few, dlt_posts)
        loaded = _rate([_loaded(warm, few, folder / f"dlt{number}") for number in range(repeats)], dlt_posts)
        lines += [
            report.Line("dlt, the same pages to Parquet", loaded, loaded / baseline),
            report.Line("  transform beside dlt", ours, ours / loaded, "at least 10"),
            report.Line("  whole step beside dlt", whole, whole / loaded),
        ]
    return lines


def _step(home: Path, posts: int) -> trial.Trial:
    with pages.locked(home / "warm", WARM_POSTS), pages.locked(home / "full", posts):
        return trial.run("normalize:step", warm=str(home / "warm"), home=str(home / "full"))


def _loaded(warm: Path, source: Path, out: Path) -> trial.Trial:
    out.mkdir()
    return trial.run("dlt_load:load", warm=str(warm), folder=str(source), out=str(out))


def _rate(trials: list[trial.Trial], posts: int) -> float:
    wrong = [one.result for one in trials if one.result != posts]
    if wrong:
        sys.exit(f"expected {posts:,} posts, got {wrong}: the numbers mean nothing")
    return posts / min(one.cpu_seconds for one in trials)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=20_000, help="posts to normalize (default: 20,000)")
    parser.add_argument("--dlt-posts", type=int, default=2_000, help="posts for dlt; 0 leaves it out (default: 2,000)")
    parser.add_argument("--repeats", type=int, default=5, help="times each is done (default: 5)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.posts, chosen.dlt_posts, chosen.repeats)
    report.show("normalize", lines, unit="posts per CPU second")


if __name__ == "__main__":
    main()
