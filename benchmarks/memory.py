"""Whether the memory of normalizing grows with the amount: the peak of a process that normalizes few posts, and of one that does many.

Both begin with an empty archive and the evidence locked in the object store, which is a process of its own and not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pages
import report
import trial

from pipeline.steps import normalize_all

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/memory.py
  .venv/bin/python benchmarks/memory.py --many 1000000      (some minutes)
"""


def normalized(home: str) -> Callable[[], int]:
    """Onrecord: the whole step. The work returns the posts it made rows of."""
    made = pages.workspace(Path(home))

    def work() -> int:
        with made.storage() as storage:
            return normalize_all(made, storage).rows["posts"]

    return work


def measure(folder: Path, few: int, many: int) -> list[report.Line]:
    """Peaks in MiB."""
    small, large = (_peak(folder / str(posts), posts) for posts in (few, many))
    return [
        report.Line(f"{few:,} posts", small, 1.0),
        report.Line(f"{many:,} posts", large, large / small, "at most 1.2"),
    ]


def _peak(home: Path, posts: int) -> float:
    with pages.locked(home, posts):
        done = trial.run("memory:normalized", home=str(home))
    if done.result != posts:
        sys.exit(f"expected {posts:,} posts, got {done.result:,}: the numbers mean nothing")
    return done.peak_mebibytes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--few", type=int, default=10_000, help="posts of the small run (default: 10,000)")
    parser.add_argument("--many", type=int, default=200_000, help="posts of the large run (default: 200,000)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.few, chosen.many)
    report.show("memory of normalize", lines, unit="peak MiB")


if __name__ == "__main__":
    main()
