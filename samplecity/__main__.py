r"""Run the sample city: ``python -m samplecity``.

Prints one line of JSON when it listens (addresses, environment, process id) and stops on SIGINT or SIGTERM.

Try:
  python -m samplecity --port 8400
  python -m samplecity --now 2026-11-01T12:00:00+00:00 --bulk 100000
  curl -X POST http://127.0.0.1:8400/control/advance
  curl http://127.0.0.1:8400/control/truth
  curl -X POST http://127.0.0.1:8400/control/faults \\
       -d '{"rules": [{"fault": "rate_limited", "path": "/statuses", "retry_after": 2}]}'
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime

from samplecity.server import City


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m samplecity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--now", type=_time, help="fixed time of moment 0, ISO 8601 (default: the real clock)")
    parser.add_argument("--seed", type=int, default=7, help="another city with the same script (default: 7)")
    parser.add_argument("--bulk", type=int, default=0, metavar="N", help="also serve an account with N posts")
    parser.add_argument("--no-gzip", action="store_true", help="never compress bodies")
    chosen = parser.parse_args(arguments)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    try:
        city = City.start(
            chosen.port, now=chosen.now, seed=chosen.seed, bulk_posts=chosen.bulk, compress=not chosen.no_gzip
        )
    except OSError as problem:
        sys.stderr.write(f"cannot listen on 127.0.0.1:{chosen.port}: {problem.strerror}; choose another --port\n")
        return 1
    with city:
        facts = {
            "url": city.url,
            "control": f"{city.url}/control",
            "pid": os.getpid(),
            "services": city.services(),
            "environment": city.environment(),
        }
        if city.bulk:
            facts["bulk"] = {"did": city.bulk.did, "handle": city.bulk.handle, "posts": city.bulk.count}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        done.wait()
    return 0


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
