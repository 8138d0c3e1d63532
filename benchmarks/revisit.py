"""What looking again costs when nothing is new: processor time and wall time beside the bare HTTP requests for the same answers.

Many quiet accounts on one server (``many_accounts.py``) are captured and normalized once, then all are looked at again; the loop asks for
exactly what was asked, in one session, and throws the answers away. Object store and server are processes of their own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import many_accounts
import pages
import report
import requests
import trial

from compliance import accounts
from pipeline.steps import look_at, normalize_all
from warehouse import evidence, inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.workspace import Storage, Workspace

EXAMPLES = """
examples:
  .venv/bin/python benchmarks/revisit.py
  .venv/bin/python benchmarks/revisit.py --accounts 1000
"""


def looked(home: str, address: str) -> Callable[[], int]:
    """Onrecord: look at every account again. The work returns how many exchanges it kept."""
    made = _workspace(Path(home), address)
    mine = list(accounts.listing(made.engine, capturable_only=True))
    with made.storage() as storage:
        look_at(made, storage, mine[0])  # loads what is loaded when first used

    def work() -> int:
        with made.storage() as storage:
            return sum(look.pages for account in mine for look in look_at(made, storage, account))

    return work


def asked(urls: str) -> Callable[[], int]:
    """The bare requests."""
    wanted = Path(urls).read_text().splitlines()

    def work() -> int:
        with requests.Session() as session:
            for url in wanted:
                session.get(url, timeout=60).raise_for_status()
        return len(wanted)

    return work


@contextmanager
def server() -> Iterator[str]:
    """The quiet accounts' server, in a process of its own: its address."""
    command = [sys.executable, many_accounts.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


def measure(folder: Path, count: int) -> list[report.Line]:
    """Milliseconds per account."""
    with server() as address:
        made = _workspace(folder / "home", address)
        _register(made, count)
        with made.storage() as storage:
            for account in accounts.listing(made.engine, capturable_only=True):
                look_at(made, storage, account)
            normalize_all(made, storage)
            before = {one.key for one in inventory.objects(made.engine)}
            ours = trial.run("revisit:looked", home=str(folder / "home"), address=address)
            urls = _urls(storage, made, before, address)[-ours.result :]
        file = folder / "urls.txt"
        file.write_text("\n".join(urls))
        bare = trial.run("revisit:asked", urls=str(file))
    return [
        report.Line(f"requests, {len(urls):,} answers, CPU", 1000 * bare.cpu_seconds / count, 1.0),
        report.Line("look again, CPU", 1000 * ours.cpu_seconds / count, ours.cpu_seconds / bare.cpu_seconds),
        report.Line("requests, wall", 1000 * bare.wall_seconds / count, 1.0),
        report.Line(
            "look again, wall", 1000 * ours.wall_seconds / count, ours.wall_seconds / bare.wall_seconds, "at most 3"
        ),
    ]


def _workspace(home: Path, address: str) -> Workspace:
    return pages.workspace(home, ONRECORD_ALLOW_PRIVATE="true", ONRECORD_SERVICES=f"{many_accounts.HOST}={address}")


def _register(made: Workspace, count: int) -> None:
    told: dict[str, Any] = {"by": "the benchmark", "at": made.clock(), "reason": "to be measured"}
    for number in range(1, count + 1):
        who = {"native_id": f"{many_accounts.HOST}/{number}", "handle": f"city{number}@{many_accounts.HOST}"}
        name = f"city-{number}"
        accounts.add_proposed(made.engine, name=name, platform="mastodon", service=many_accounts.HOST, **who, **told)
        accounts.approve(made.engine, name, **told)


def _urls(storage: Storage, made: Workspace, before: set[str], address: str) -> list[str]:
    """What was asked since, as the evidence says."""
    fresh = [one for one in inventory.objects(made.engine) if one.key not in before]
    told = [page.url for one in fresh for page in evidence.read(storage.evidence, one.key, one.sha256)]
    return [url.replace(f"https://{many_accounts.HOST}", address) for url in told]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=200, help="accounts to look at (default: 200)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onrecord-bench-") as folder:
        lines = measure(Path(folder), chosen.accounts)
    report.show("looking again, nothing new", lines, unit="ms per account")


if __name__ == "__main__":
    main()
