"""One request out, one exchange back: bytes as they came over the wire."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests.utils
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from connectors.exchange import Exchange
from connectors.kit.address import PublicAdapter, is_public
from connectors.kit.redaction import clean_headers, clean_url

if TYPE_CHECKING:
    from datetime import datetime

    from requests.auth import AuthBase

Params = Mapping[str, Any]

USER_AGENT = "Onrecord/0.1 (archive of public records; reads only accounts registered with it)"
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
ANSWER_SECONDS = 300.0
"""How long an answer may take to arrive in all, however slowly it drips."""
BODY_LIMIT_BYTES = 64 * 2**20
_PIECE_BYTES = 1 << 20

# its debug lines hold whole addresses, parameters included
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class TransferFailed(Exception):
    """No whole answer came: refused, reset, timed out, cut. The message holds no address and no secret."""


class AnswerTooLarge(Exception):
    """The answer is larger than anything a platform documents."""


class Transport:
    """A kept-alive connection to one service. Follows nothing, retries nothing, keeps no cookies, reads no ``.netrc``."""

    def __init__(self, base: str, *, trusted: bool, auth: AuthBase | None, clock: Callable[[], datetime]) -> None:
        """``base``: address of the service; ``trusted``: whether it may lie outside the public Internet."""
        self.base = base
        self._auth = auth
        self._clock = clock
        self._adapter = HTTPAdapter(pool_maxsize=1) if trusted else PublicAdapter(pool_maxsize=1)
        self._proxies = {} if _is_near(base) else requests.utils.get_environ_proxies(base)
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
        }

    def send(self, call: str, url: str, params: Params | None, subject: str) -> Exchange:
        """Ask once. Raises :class:`TransferFailed`, :class:`AnswerTooLarge`."""
        request = PreparedRequest()
        request.prepare(method="GET", url=url, headers=self._headers, params=params, auth=self._auth)
        start = monotonic()
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                verify=self._verify,
                proxies=self._proxies,
            )
            body = _read(response, start + ANSWER_SECONDS)
        except (RequestException, HTTPError, OSError) as problem:
            raise TransferFailed(_reason(problem)) from None
        raw = response.raw
        return Exchange(
            call=call,
            subject=subject,
            method="GET",
            url=clean_url(request.url or url),
            request_headers=clean_headers(request.headers.items()),
            status=response.status_code,
            reason=raw.reason or "",
            response_headers=tuple(
                ("X-Archive-Orig-Transfer-Encoding" if name.lower() == "transfer-encoding" else name, value)
                for name, value in raw.headers.items()
            ),
            body=body,
            fetched_at=self._clock(),
            elapsed_seconds=monotonic() - start,
        )

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()


def _read(response: requests.Response, deadline: float) -> bytes:
    raw = response.raw
    announced = raw.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > BODY_LIMIT_BYTES:
        raw.close()
        raise AnswerTooLarge(announced)
    pieces: list[bytes] = []
    size = 0
    while piece := raw.read1(_PIECE_BYTES, decode_content=False):
        pieces.append(piece)
        size += len(piece)
        if size > BODY_LIMIT_BYTES:
            raw.close()
            raise AnswerTooLarge(str(size))
        if monotonic() > deadline:
            raw.close()
            msg = f"the answer was still coming after {ANSWER_SECONDS:.0f} s"
            raise OSError(msg)
    raw.release_conn()
    if announced.isdigit() and int(announced) != size:
        msg = f"{size} of {announced} bytes came"
        raise OSError(msg)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _is_near(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost"


_REASONS = (
    ("IncompleteRead", "the answer was cut"),
    ("ConnectTimeout", "no connection in time"),
    ("ReadTimeout", "no answer in time"),
    ("NameResolution", "its name is not known"),
    ("SSL", "its certificate is not trusted"),
    ("refused", "the connection was refused"),
    ("reset", "the connection was reset"),
    ("RemoteDisconnected", "the connection was closed without an answer"),
)


def _reason(problem: BaseException) -> str:
    # the text of requests' own errors holds the whole address, parameters included
    chain = repr(problem)
    known = next((words for name, words in _REASONS if name in chain), None)
    return known or (str(problem) if type(problem) is OSError else type(problem).__name__)
