"""One measured piece of work, in a process of its own.

A piece of work is named ``module:function``. The function takes keyword arguments that JSON can carry, prepares, imports what it needs and
returns the work itself, a function without arguments; only that one is measured. Processor seconds of the process and its
children are what is compared, since they say the same on a busy machine as on an idle one, nearly.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_MARK = "trial: "


@dataclass(frozen=True, slots=True)
class Trial:
    """What a piece of work took."""

    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float
    """The most memory the process held since it began, as the system counts it (VmHWM)."""
    result: Any


def run(work: str, **arguments: Any) -> Trial:  # noqa: ANN401 - whatever JSON carries
    """Do the work once, on one core. What it prints goes to standard error."""
    done = subprocess.run(
        [sys.executable, __file__, work, json.dumps(arguments)], stdout=subprocess.PIPE, text=True, check=False
    )
    last = next((line for line in reversed(done.stdout.splitlines()) if line.startswith(_MARK)), None)
    if done.returncode or last is None:
        sys.exit(f"{work} did not end well (exit code {done.returncode}); what it said is above")
    return Trial(**json.loads(last.removeprefix(_MARK)))


def middle(trials: list[Trial]) -> Trial:
    """The trial in the middle by processor time."""
    return sorted(trials, key=lambda one: one.cpu_seconds)[len(trials) // 2]


def _measured(work: str, arguments: dict[str, Any]) -> Trial:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    module, _, function = work.partition(":")
    ready = getattr(import_module(module), function)(**arguments)
    gc.collect()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    result = ready()
    return Trial(_cpu_seconds() - cpu, time.perf_counter() - wall, _peak_mebibytes(), result)


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mebibytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    print(_MARK + json.dumps(asdict(_measured(sys.argv[1], json.loads(sys.argv[2])))), flush=True)
