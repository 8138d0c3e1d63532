"""The real AT Protocol services (PLC, PDS, AppView, Ozone) on loopback, driven by the scripts of the shared folder."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import SHARED, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POSTGRES = Path(os.environ.get("PGBIN", "/usr/lib/postgresql/15/bin"))
PORTS_USED = 9
DATABASE = 10
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. ``truth`` is what the seeder and the mutations wrote down of what they did."""

    root: Path
    base_port: int

    @property
    def appview(self) -> str:
        return f"http://localhost:{self.base_port + 4}"

    @property
    def server(self) -> str:
        return f"http://localhost:{self.base_port + 3}"

    @property
    def directory(self) -> str:
        return f"http://localhost:{self.base_port + 2}"

    @property
    def labeler(self) -> str:
        return f"http://localhost:{self.base_port + 7}"

    @property
    def services(self) -> dict[str, str]:
        """The settings under which a connector finds it."""
        return {
            "public.api.bsky.app": self.appview,
            "plc.directory": self.directory,
            f"localhost:{self.base_port + 3}": self.server,
            f"localhost:{self.base_port + 7}": self.labeler,
        }

    @property
    def truth(self) -> dict[str, Any]:
        return dict(json.loads((self.root / "state" / "truth.json").read_text()))

    def script(self, step: str, **knobs: object) -> None:
        _run(self.root, self.base_port, step, knobs)

    def control(self, path: str) -> None:
        """``/process`` drains the AppView's queues, ``/pds/stop`` and ``/pds/start`` make an outage."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.base_port}{path}", data=b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    def call(self, method: str, body: Mapping[str, Any], token: str = "", *, to: str = "") -> dict[str, Any]:
        """A procedure of the PDS, or of the service it passes the call on to."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"content-type": "application/json"} if body else {}
        headers |= {"atproto-proxy": to} if to else {}
        return _answer(f"{self.server}/xrpc/{method}", json.dumps(body).encode() if body else b"", headers)

    def ask(self, method: str, **params: str) -> dict[str, Any]:
        """A query of the PDS."""
        return _answer(f"{self.server}/xrpc/{method}?{urllib.parse.urlencode(params)}")

    @property
    def info(self) -> dict[str, Any]:
        """What the stack says of itself."""
        return _answer(f"http://127.0.0.1:{self.base_port}/info")


def _answer(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.loads(answer.read() or b"{}"))
    except urllib.error.HTTPError as refused:
        refused.msg = f"{refused.msg}: {refused.read().decode(errors='replace')[:500]}"
        raise


def installed() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "real-platforms" / "atproto"


@contextmanager
def running_stack() -> Iterator[Stack]:
    """A stack of one's own over the shared installation, which is made first where there is none (about two minutes)."""
    require(
        SHARED, "the scripts that run the AT Protocol services are not beside the project (ONRECORD_SHARED names them)"
    )
    require((POSTGRES / "initdb").exists(), f"PostgreSQL's server programs are not in {POSTGRES} (PGBIN names them)")
    if not _is_installed():
        require(
            shutil.which("g++") and shutil.which("make"),
            "g++ and make, to install the AT Protocol services, are missing",
        )
        _run(installed(), 0, "install", {})
    # not pytest's own folder: PostgreSQL runs as another user, who must be able to pass, and its socket's path must be short
    root = Path(tempfile.mkdtemp(prefix="atproto-"))
    root.chmod(0o755)
    try:
        (root / "app").mkdir()
        (root / "nv").symlink_to(installed() / "nv")
        (root / "app" / "node_modules").symlink_to(installed() / "app" / "node_modules")
        shutil.copy(installed() / "app" / "package.json", root / "app")
        stack = Stack(root, _free_ports())
        try:
            _start(stack)
            yield stack
        finally:
            stack.script("stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _start(stack: Stack) -> None:
    """The script waits 30 s; a busy machine needs longer."""
    with contextlib.suppress(AssertionError):
        stack.script("start")
    log = stack.root / "state" / "stack.log"
    deadline = time.monotonic() + START_SECONDS
    while "READY" not in log.read_text():
        assert time.monotonic() < deadline, f"the stack did not start:\n{log.read_text()[-2000:]}"
        time.sleep(0.5)


def _is_installed() -> bool:
    tree = installed()
    return (tree / "app" / "node_modules" / "@atproto" / "dev-env").is_dir() and (tree / "nv").is_dir()


def _run(root: Path, base_port: int, step: str, knobs: Mapping[str, object]) -> None:
    assert SHARED is not None
    for program in (root / "app").glob("*.mjs"):
        program.chmod(0o644)  # the scripts copy read-only files over these again
    env = {
        **os.environ,
        "ATP_ROOT": str(root),
        "PORT_BASE": str(base_port),
        "PGPORT_": str(base_port + DATABASE),
        "PGBIN": str(POSTGRES),
        "MODE": "full",
        **{name: str(value) for name, value in knobs.items()},
    }
    script = str(SHARED / "platforms" / "atproto" / "atproto.sh")
    root.mkdir(parents=True, exist_ok=True)
    log = root / f"{step}.log"
    with log.open("w") as out:
        done = subprocess.run(
            ["bash", script, step], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    assert done.returncode == 0, f"atproto.sh {step} failed:\n{log.read_text()[-2000:]}"


def _free_ports() -> int:
    """The first of a row of free ports, outside the range the system gives away by itself."""
    for _ in range(100):
        base = 20_000 + secrets.randbelow(12_000)
        try:
            for port in range(base, base + DATABASE + 1):
                _bind(port)
        except OSError:
            continue
        return base
    msg = "no row of free ports"
    raise RuntimeError(msg)


def _bind(port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
