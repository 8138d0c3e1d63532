"""The city's HTTP server, on loopback only, in a thread of its own.

::

    with City.start() as city:
        requests.get(city.services()["social.harborfalls.example"] + "/api/v2/instance")
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from samplecity import wordpress
from samplecity.bluesky import AppView
from samplecity.bulk import BulkAccount
from samplecity.control import Desk
from samplecity.faults import Rule, altered, asked_again, replaced
from samplecity.labelers import Labeler
from samplecity.mastodon import Server, Token
from samplecity.messages import Front, Request, Response, as_json
from samplecity.people import APPVIEW, LABELER, LAKESIDE_PDS, LIBRARY, NEWS, PDS, PLC, SOCIAL
from samplecity.repositories import DataServer, Directory
from samplecity.wordpress import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

LOG = logging.getLogger(__name__)
TRANSIT_TOKEN = "transit-live-token"  # noqa: S105 - invented
NARROW_TOKEN = "transit-narrow-token"  # noqa: S105 - invented; may not read blocks, mutes or filters
DEAD_TOKEN = "library-token-of-2023"  # noqa: S105 - invented; revoked
RENEWED_TOKEN = "library-token-renewed"  # noqa: S105 - invented; what a person would put in its place
SMALLEST_GZIP = 1024
MOUNTS = {
    APPVIEW: "/bluesky/appview",
    "public.api.bsky.app": "/bluesky/appview",
    PDS: "/bluesky/pds",
    LAKESIDE_PDS: "/bluesky/lakeside",
    PLC: "/bluesky/plc",
    LABELER: "/bluesky/labeler",
    SOCIAL: "/mastodon",
    LIBRARY: "/library",
    NEWS: "/wordpress",
}
"""Host name -> where it lies on the one server."""


class City:
    """A running city. Make one with :meth:`start`."""

    def __init__(self, desk: Desk, server: _Listener, thread: threading.Thread) -> None:
        self.desk = desk
        self._server = server
        self._thread = thread

    @classmethod
    def start(
        cls,
        port: int = 0,
        *,
        now: datetime | None = None,
        seed: int = 7,
        bulk_posts: int = 0,
        compress: bool = True,
        moments: Sequence[datetime] = (),
    ) -> City:
        """Start listening on 127.0.0.1 (``port`` 0: any free one).

        Args:
            port: TCP port.
            now: a fixed time for moment 0; ``None``: the real clock.
            seed: another city with the same script.
            bulk_posts: size of the additional account made for measuring (``samplecity.bulk``); 0: none.
            compress: whether bodies are sent as gzip to those who accept it.
            moments: wake an earlier city up: what its ``moments`` said. Later moments follow the real clock.
        """
        bulk = BulkAccount(bulk_posts) if bulk_posts else None
        server = _Listener(("127.0.0.1", port), Desk(now, seed, moments), bulk, compress=compress)
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="samplecity", daemon=True
        )
        thread.start()
        return cls(server.desk, server, thread)

    def stop(self) -> None:
        """Stop listening and end every connection."""
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The server's own address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bulk(self) -> BulkAccount | None:
        """The account made for measuring."""
        return self._server.bulk

    def services(self) -> dict[str, str]:
        """Host name -> base URL, as Onrecord's setting ``services`` takes it."""
        return {host: f"{self.url}{mount}" for host, mount in MOUNTS.items()}

    @staticmethod
    def credentials() -> dict[str, dict[str, str]]:
        """Credential name (as in ``policy/accounts.yaml``) -> its fields. The library's is dead."""
        return {
            "transit": {"token": TRANSIT_TOKEN},
            "library": {"token": DEAD_TOKEN},
            "news": {"username": wordpress.USER, "password": wordpress.PASSWORD},
        }

    def environment(self) -> dict[str, str]:
        """What to add to the environment of a program that archives this city."""
        variables = {
            "ONRECORD_ALLOW_PRIVATE": "true",
            "ONRECORD_SERVICES": " ".join(f"{host}={base}" for host, base in self.services().items()),
        }
        for name, values in self.credentials().items():
            for part, value in values.items():
                variables[f"ONRECORD_CREDENTIAL_{name}_{part}".upper().replace("-", "_")] = value
        return variables

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When the moments so far happened: :meth:`start` takes them to wake the same city up again."""
        return self.desk.moments

    def truth(self) -> dict[str, Any]:
        """See :meth:`Desk.truth`."""
        return self.desk.truth()

    def advance(self, *, script: bool = True) -> int:
        """See :meth:`Desk.advance`."""
        return self.desk.advance(script=script)

    def act(self, act: str, **order: Any) -> dict[str, Any]:  # noqa: ANN401 - see acts.perform
        """Do one act (see :func:`samplecity.acts.perform`)."""
        return self.desk.act({"act": act, **order})[0]

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Order faults in place of the ones before (see ``samplecity.faults``)."""
        self.desk.order_faults(list(rules))

    def reset(self) -> None:
        """Moment 0 again."""
        self.desk.reset()

    @property
    def requests(self) -> list[tuple[str, str, int]]:
        """What was asked so far: method, path with query, status (0: no answer)."""
        return list(self.desk.requests)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, address: tuple[str, int], desk: Desk, bulk: BulkAccount | None, *, compress: bool) -> None:
        self.desk = desk
        self.bulk = bulk
        self.compress = compress
        self.stopping = threading.Event()
        self.open: set[socket.socket] = set()
        self._world: object = None
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def front(self, path: str) -> tuple[Front | None, str]:
        """Who answers a path, and the path as it sees it."""
        with self._lock:
            if self._world is not self.desk.world:
                self._world = self.desk.world
                self._fronts = self._open_fronts()
        for mount, front in self._fronts.items():
            if path == mount or path.startswith(f"{mount}/"):
                return front, path[len(mount) :]
        return None, path

    def _open_fronts(self) -> dict[str, Front]:
        world, bulk = self.desk.world, self.bulk
        narrow = frozenset({"read:accounts", "read:statuses"})
        social = {TRANSIT_TOKEN: Token("transit"), NARROW_TOKEN: Token("transit", narrow)}
        library = {DEAD_TOKEN: Token("library", revoked=True), RENEWED_TOKEN: Token("library")}
        return {
            "/control": self.desk,
            MOUNTS[APPVIEW]: AppView(world, bulk),
            MOUNTS[PDS]: DataServer(world, PDS, bulk),
            MOUNTS[LAKESIDE_PDS]: DataServer(world, LAKESIDE_PDS),
            MOUNTS[PLC]: Directory(world, bulk),
            MOUNTS[LABELER]: Labeler(world),
            MOUNTS[SOCIAL]: Server(world, SOCIAL, social),
            MOUNTS[LIBRARY]: Server(world, LIBRARY, library, closed=True),
            MOUNTS[NEWS]: Site(world, NEWS),
        }

    def hang_up(self) -> None:
        """End the connections that are still open."""
        for held in list(self.open):
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "samplecity"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout: ClassVar[float | None] = 120

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_GET  # noqa: N815 - named by http.server

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() and int(length) else b""
        split = urlsplit(self.path)
        front, path = self.server.front(split.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(split.query, keep_blank_values=True)
        request = Request(self.command, path, query, headers, body, self.path)
        desk = self.server.desk
        rule = None if front is desk else next((held for held in desk.rules if held.matches(request)), None)
        status = self._send(front, request, rule)
        if front is not desk:
            desk.requests.append((self.command, self.path, status))

    def _send(self, front: Front | None, request: Request, rule: Rule | None) -> int:
        """Answer, with the fault ordered. Returns the status sent, 0 for none."""
        if rule and rule.fault in ("hang", "slow"):
            self.server.stopping.wait(float(rule.options.get("seconds", 30 if rule.fault == "hang" else 1)))
        if rule and rule.fault in ("hang", "reset"):
            self.close_connection = True
            return 0
        if rule and rule.fault == "act":
            self.server.desk.act(rule.options["act"])
        response = replaced(rule, request) if rule else None
        if response is None:
            request = asked_again(rule, request) if rule else request
            response = front.answer(request) if front else as_json({"error": f"nothing at {request.path}"}, 404)
            response = altered(rule, request, response) if rule else response
        self._write(response, half=bool(rule and rule.fault == "truncated"))
        return response.status

    def _write(self, response: Response, *, half: bool) -> None:
        body = response.body
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if self.server.compress and accepts and len(body) >= SMALLEST_GZIP:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "keep-alive")
        self.close_connection = self.close_connection or half
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as http.server has it
        LOG.debug(format, *args)
