"""The platforms that can be compared, all at the same time: much of what they do is waiting."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from completeness import atproto, wordpress
from completeness.report import Outcome

RUNS = {"bluesky": atproto.run, "wordpress": wordpress.run}


class CannotRun(Exception):
    """A platform's programs are not installed here. The message says which."""


def compared(names: Sequence[str], *, fast: bool) -> list[Outcome]:
    """Run them, each in a process of its own. Raises :class:`CannotRun`, :class:`completeness.visits.NotAsPlanned`."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(names), mp_context=spawning) as pool:
        runs = [pool.submit(_run, name, fast=fast) for name in names]
        return [run.result() for run in runs]


def _run(name: str, *, fast: bool) -> Outcome:
    begun = time.monotonic()

    def tell(what: str) -> None:
        print(f"{name:10} {time.monotonic() - begun:5.0f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory(prefix=f"completeness-{name}-", ignore_cleanup_errors=True) as place:
        try:
            return RUNS[name](Path(place), fast=fast, tell=tell)
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            msg = f"{name} cannot run here: {missing}"
            raise CannotRun(msg) from None
