"""Run several long-lived programs in the foreground as one: start, wait until healthy, stop all.

Each program gets its own session (so that all its children can be stopped with it), its own log file, and a death signal
from the kernel should this process be killed. Airflow's own ``standalone`` leaves its children running when stopped; this
does not.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

TERM_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ComponentFailed(Exception):
    """A program ended or did not become healthy in time. The message holds the end of its log."""

    code = "component_failed"


@dataclass(frozen=True, slots=True)
class Component:
    """One program: how to start it and how to tell that it is healthy."""

    name: str
    command: Sequence[str]
    healthy: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Starts components in order and stops them in reverse. Use as a context manager: leaving it stops all."""

    def __init__(self, logs: Path, *, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._running: list[tuple[Component, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, component: Component) -> None:
        """Start a component without waiting for it."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(component).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                list(component.command),
                env={**os.environ, **component.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call, safe after fork
            )
        self._running.append((component, process))

    def wait_healthy(self, *, seconds: float) -> None:
        """Wait for all. Raises :class:`ComponentFailed` for the first that ends or is not healthy in time."""
        deadline = time.monotonic() + seconds
        waiting = [component for component, _ in self._running]
        while waiting:
            self.check()
            for component in [each for each in waiting if each.healthy()]:
                waiting.remove(component)
                self._say(f"{component.name}: healthy")
            if waiting and time.monotonic() > deadline:
                raise ComponentFailed(self._story(waiting[0], f"was not healthy within {seconds:.0f} s"))
            time.sleep(0.2)

    def check(self) -> None:
        """Raise :class:`ComponentFailed` if a component has ended."""
        for component, process in self._running:
            if process.poll() is not None:
                raise ComponentFailed(self._story(component, f"ended with exit code {process.returncode}"))

    def stop(self) -> None:
        """Stop all, politely first; nothing is left behind."""
        for component, process in reversed(self._running):
            self._say(f"{component.name}: stopping")
            _signal_group(process, signal.SIGTERM, leader_only=True)
        deadline = time.monotonic() + TERM_SECONDS
        for _, process in reversed(self._running):
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def log(self, component: Component) -> Path:
        """Where the component's output goes."""
        return self._logs / f"{component.name}.log"

    def _story(self, component: Component, what: str) -> str:
        lines = self.log(component).read_text(errors="replace").splitlines()[-12:]
        return f"{component.name} {what}. The end of {self.log(component)}:\n  " + "\n  ".join(lines)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals, *, leader_only: bool = False) -> None:
    """Signal the component's whole session (it leads its own process group), or its first process only."""
    with suppress(ProcessLookupError, PermissionError):
        if leader_only:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
