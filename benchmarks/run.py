"""All benchmarks, one after the other, each with its defaults: what ``make bench`` runs."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ALL = ("normalize", "changes", "capture", "revisit", "sql", "memory", "questions")
EXAMPLES = """
examples:
  .venv/bin/python benchmarks/run.py
  .venv/bin/python benchmarks/run.py capture sql
each has options of its own: .venv/bin/python benchmarks/normalize.py --help
"""


def main() -> int:
    """Run them. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(ALL)} (default: all)")
    names = parser.parse_args().names or ALL
    unknown = [name for name in names if name not in ALL]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(ALL)}")
    print("Ratios hold on any machine; seconds do not. See docs/benchmarks.md.\n", flush=True)
    codes = [subprocess.call([sys.executable, str(Path(__file__).with_name(f"{name}.py"))]) for name in names]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
