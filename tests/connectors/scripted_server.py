"""A small HTTP server that answers as a test says, byte for byte, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    peer: tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """``breaks``: ``cut`` sends half of what it announces, ``reset`` sends nothing, ``silent_cut`` announces no length."""

    body: bytes = b"[]"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    breaks: str = ""
    pieces: int = 0


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Answer(json.dumps(value).encode(), status, (("Content-Type", "application/json"), *named))


Script = Callable[[Asked], Answer]


@dataclass
class Server:
    url: str
    asked: list[Asked] = field(default_factory=list)
    script: Script = field(default=lambda _asked: Answer())

    def answers(self, *answers: Answer) -> None:
        """Give these in order; the last one for ever."""
        left = list(answers)
        self.script = lambda _asked: left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    told: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(parts.path, query, headers, self.client_address)
        self.told.asked.append(asked)
        answer = self.told.script(asked)
        if answer.breaks == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
        else:
            self._give(answer)

    def _give(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        if not any(name == "Date" for name, _ in answer.headers):
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        body = answer.body
        if answer.pieces:
            self.send_header("Transfer-Encoding", "chunked")
            body = _chunked(body, answer.pieces)
        elif answer.breaks != "silent_cut":
            self.send_header("Content-Length", str(len(body)))
        if answer.breaks:
            self.close_connection = True
            body = body[: len(body) // 2]
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        return


def _chunked(body: bytes, pieces: int) -> bytes:
    size = max(1, len(body) // pieces)
    framed = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in framed) + b"0\r\n\r\n"


@contextmanager
def scripted_server() -> Iterator[Server]:
    handler = type("Handler", (_Handler,), {})
    listener = _Listener(("127.0.0.1", 0), handler)
    server = Server(f"http://127.0.0.1:{listener.server_port}")
    handler.told = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(5)
