"""Archive real platforms while they change and break, and compare the archive with what truly happened.

Ends with 1 where anything that could have been found is missing, or anything is there that never was; with 2 where a platform cannot run here.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

_TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_TESTS.parent), str(_TESTS), str(_TESTS / "connectors")]

from completeness.platforms import RUNS, CannotRun, compared
from completeness.report import show, write
from rich.console import Console

EXAMPLES = """
examples:
  .venv/bin/python tests/completeness/run.py
  .venv/bin/python tests/completeness/run.py --fast
  .venv/bin/python tests/completeness/run.py --platform wordpress --report docs/completeness.md
"""


def main() -> int:
    """Run them. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--platform", action="append", choices=sorted(RUNS), help="which (default: all)")
    parser.add_argument("--fast", action="store_true", help="the least that holds every kind of change")
    parser.add_argument("--report", type=Path, metavar="PAGE", help="put the result into this page")
    chosen = parser.parse_args()
    begun = datetime.now(UTC)
    try:
        outcomes = compared(chosen.platform or sorted(RUNS), fast=chosen.fast)
    except CannotRun as missing:
        print(missing, file=sys.stderr)
        return 2
    console = Console(highlight=False, soft_wrap=True)
    for outcome in outcomes:
        show(console, outcome)
    if chosen.report:
        size = "the least that holds every kind of change" if chosen.fast else "the seeders' own size"
        write(chosen.report, outcomes, f"Made on {begun:%Y-%m-%d}: {size}.")
    return 0 if all(outcome.is_whole for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
