"""The shared proxy in front of a real service, which breaks answers on order."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conftest import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class FaultProxy:
    """A running proxy: where it answers, and where it takes orders."""

    address: str
    control: str

    def order(self, *rules: dict[str, Any]) -> None:
        """Break answers by these rules and no others; without any, pass all."""
        with urllib.request.urlopen(f"{self.control}/rules", json.dumps(rules).encode(), timeout=10) as answer:
            assert json.load(answer) == {"rules": len(rules)}

    def log(self) -> list[dict[str, Any]]:
        """The requests since the last order."""
        with urllib.request.urlopen(f"{self.control}/log", timeout=10) as answer:
            return list(json.load(answer)["log"])


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy of one's own in front of the service at this address."""
    assert SHARED is not None
    listen, control = free_port(), free_port()
    command = [
        sys.executable,
        str(SHARED / "platforms" / "faultproxy.py"),
        *("--listen", f"127.0.0.1:{listen}"),
        *("--upstream", upstream.removeprefix("http://").replace("localhost", "127.0.0.1")),
        *("--control", f"127.0.0.1:{control}"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as proxy:
        assert proxy.stdout is not None
        assert proxy.stdout.readline().startswith("READY")
        try:
            yield FaultProxy(f"http://127.0.0.1:{listen}", f"http://127.0.0.1:{control}")
        finally:
            proxy.terminate()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
