"""How long it takes to find what changed among many known records: CPU seconds of the comparison, beside reading the same pages.

The posts are in the tables and the heads; then all are seen again a day later, one in a hundred of them edited. Measured is the comparison
alone (what is known of each record, which differ, which versions that makes); reading and normalizing the pages is what it is compared with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pages
import report
import trial

from pipeline.shown import VERSION
from pipeline.steps import normalize_all
from samplecity.bulk import BulkAccount
from transforms import history
from transforms.normalize import normalize
from warehouse.heads import Heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transforms.page import ArchivedPage

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/changes.py
  .venv/bin/python benchmarks/changes.py --posts 1000000      (some minutes)
"""
PAGES = 120
"""Compared together, as a capture of that size is."""
LATER = timedelta(days=1)


def compared(home: str, posts: int) -> Callable[[], dict[str, float]]:
    """Onrecord. The work returns seconds of comparing, seconds of all else, and the versions found."""
    made = pages.workspace(Path(home))

    def work() -> dict[str, float]:
        comparing = reading = 0.0
        edited = 0
        bench = history.workbench()
        with made.storage() as storage, Heads.open(made.home / "heads.duckdb", storage.archive) as heads:
            heads.refresh()
            again = _seen_again(posts)
            while some := list(islice(again, PAGES)):
                begun = time.process_time()
                batch = normalize(some, version=VERSION)
                read = time.process_time()
                found = history.changes(batch, heads, bench)
                comparing += time.process_time() - read
                reading += read - begun
                edited += found.tables["posts"].num_rows
        return {"comparing": comparing, "reading": reading, "edited": edited}

    return work


def _seen_again(posts: int) -> Iterator[ArchivedPage]:
    for number, body in enumerate(BulkAccount(posts).pages()):
        one = pages.archived_page(number, body.replace(b'"text":"', b'"text":"Corrected: ', 1))
        yield replace(one, fetched_at=one.fetched_at + LATER, evidence_key=f"{one.evidence_key}-again")


def measure(folder: Path, posts: int) -> list[report.Line]:
    """Seconds."""
    with pages.locked(folder / "home", posts) as (made, storage):
        normalize_all(made, storage)
        done = trial.run("changes:compared", home=str(folder / "home"), posts=posts)
    told = done.result
    if told["edited"] != len(range(0, posts, 100)):
        sys.exit(f"{told['edited']:,.0f} edits were found of {posts // 100:,}: the numbers mean nothing")
    return [
        report.Line(f"reading and normalizing {posts:,} posts", told["reading"], 1.0),
        report.Line(
            f"finding {told['edited']:,.0f} edits among them",
            told["comparing"],
            told["comparing"] / told["reading"],
            "at most 10 s for 1,000,000",
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=100_000, help="known posts (default: 100,000)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.posts)
    report.show("finding changes", lines, unit="CPU seconds")


if __name__ == "__main__":
    main()
