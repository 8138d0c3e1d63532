"""A proxy before a real S3 server that breaks one promise at a time.

Requests pass unchanged, signature and all, but for those its lie concerns: these are altered and signed anew, so that the real server behind
does what a careless one would do.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from warehouse.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Headers = dict[str, str]


def drop(*names: str) -> Callable[[str, str, Headers], Headers | None]:
    """A lie: these headers are not looked at."""

    def lie(_method: str, _path: str, headers: Headers) -> Headers | None:
        kept = {name: value for name, value in headers.items() if name.lower() not in names}
        return kept if len(kept) < len(headers) else None

    return lie


def bypass_locks(method: str, path: str, headers: Headers) -> Headers | None:
    """A lie: locks are stored and told, and hold nobody back."""
    if method == "DELETE" or "retention" in path:
        return {**headers, "x-amz-bypass-governance-retention": "true"}
    return None


def let_strangers_in(_method: str, _path: str, headers: Headers) -> Headers | None:
    """A lie: nobody's key or secret is checked."""
    return headers


@contextlib.contextmanager
def lying_proxy(endpoint: Endpoint, lie: Callable[[str, str, Headers], Headers | None]) -> Iterator[Endpoint]:
    """An endpoint that behaves as the real one does, but for the lie."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = dict(self.headers.items())
            altered = lie(self.command, self.path, headers)
            if altered is not None:
                headers = _signed(endpoint, self.command, self.path, altered, body)
            back = http.client.HTTPConnection(endpoint.host, timeout=30)
            back.request(self.command, self.path, body=body, headers=headers)
            answer = back.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            if answer.getheader("Content-Length") is None:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            back.close()

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass  # noqa: N815 - names of the standard library

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Endpoint(
            f"http://127.0.0.1:{server.server_port}", endpoint.region, endpoint.access_key, endpoint.secret_key
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _signed(endpoint: Endpoint, method: str, path: str, headers: Headers, body: bytes) -> Headers:
    unsigned = {"authorization", "x-amz-date", "x-amz-content-sha256", "host", "connection", "content-length", "expect"}
    kept = {name: value for name, value in headers.items() if name.lower() not in unsigned}
    request = AWSRequest(method=method, url=endpoint.url + path, data=body, headers=kept)
    S3SigV4Auth(Credentials(endpoint.access_key, endpoint.secret_key), "s3", endpoint.region).add_auth(request)
    return {**dict(request.prepare().headers.items()), "Host": endpoint.host}
