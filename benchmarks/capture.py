"""What capturing costs: processor time per page beside a bare ``requests`` loop that saves the same bodies.

The sample city and the object store run as processes of their own. Onrecord captures a large account, all resources, into locked
evidence; the loop then asks for exactly what was asked and writes each body to a file, neither keeping what was said nor checking it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pages
import report
import requests
import trial

from compliance import accounts
from pipeline.steps import look_at
from samplecity.people import APPVIEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/capture.py
  .venv/bin/python benchmarks/capture.py --posts 50000 --repeats 5
"""
NAME, SMALL = "bulletin", "ward-3"
LOOK_UPS = 4
"""Questions whose answers are not kept, at most: where the account's server is."""
GZIP = {"Accept-Encoding": "gzip"}


def captured(home: str, facts: dict[str, Any]) -> Callable[[], list[int]]:
    """Onrecord: capture the account, after a small one that loads what is loaded when first used.

    The work returns how many exchanges were kept, and how many requests the city had seen before.
    """
    made = pages.workspace(Path(home), **facts["environment"])
    accounts.load(made.engine, made.policy.accounts, now=made.clock())
    with made.storage() as storage:
        look_at(made, storage, accounts.get(made.engine, SMALL))
    before = len(_asked(facts))
    account = accounts.get(made.engine, NAME)

    def work() -> list[int]:
        with made.storage() as storage:
            return [sum(look.pages for look in look_at(made, storage, account)), before]

    return work


def looped(urls: str, out: str) -> Callable[[], int]:
    """The bare loop."""
    wanted = Path(urls).read_text().splitlines()

    def work() -> int:
        with requests.Session() as session:
            for number, url in enumerate(wanted):
                Path(out, f"{number}.json").write_bytes(session.get(url, headers=GZIP, timeout=60).content)
        return len(wanted)

    return work


@contextmanager
def city(posts: int) -> Iterator[dict[str, Any]]:
    """The sample city with a large account, in a process of its own: what it says of itself."""
    command = [sys.executable, "-m", "samplecity", "--bulk", str(posts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


def measure(folder: Path, posts: int, repeats: int) -> list[report.Line]:
    """Milliseconds of processor time per page: the loop's, ours, and their ratio, each the median."""
    ours, bare = [], []
    with city(posts) as facts:
        for number in range(repeats):
            one, urls = _capture(folder / f"home{number}", facts)
            saved = folder / f"saved{number}"
            saved.mkdir()
            Path(saved, "urls.txt").write_text("\n".join(urls))
            two = trial.run("capture:looped", urls=str(saved / "urls.txt"), out=str(saved))
            ours.append(1000 * one.cpu_seconds / len(urls))
            bare.append(1000 * two.cpu_seconds / len(urls))
    ratio = median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    return [
        report.Line(f"requests loop, {len(urls):,} bodies saved", median(bare), 1.0),
        report.Line("capture: spooled, sealed, locked, in the ledger", median(ours), ratio, "at most 1.5"),
    ]


def _capture(home: Path, facts: dict[str, Any]) -> tuple[trial.Trial, list[str]]:
    made = pages.workspace(home, **facts["environment"])
    told: dict[str, Any] = {"by": "the benchmark", "at": made.clock(), "reason": "to be measured"}
    who = {"native_id": facts["bulk"]["did"], "handle": facts["bulk"]["handle"], "service": APPVIEW}
    accounts.add_proposed(made.engine, name=NAME, platform="bluesky", **who, **told)
    accounts.approve(made.engine, NAME, **told)
    with made.storage():
        done = trial.run("capture:captured", home=str(home), facts=facts)
    kept, before = done.result
    urls = [facts["url"] + path for path in _asked(facts)[before:]]
    if not 0 <= len(urls) - kept <= LOOK_UPS:
        sys.exit(f"{kept} exchanges were kept of {len(urls)}: the numbers mean nothing")
    return done, urls


def _asked(facts: dict[str, Any]) -> list[str]:
    return [path for _, path, _ in requests.get(f"{facts['control']}/requests", timeout=60).json()["requests"]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=10_000, help="posts of the account (default: 10,000)")
    parser.add_argument("--repeats", type=int, default=3, help="times each is done (default: 3)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.posts, chosen.repeats)
    report.show("capture", lines, unit="CPU ms per page")


if __name__ == "__main__":
    main()
