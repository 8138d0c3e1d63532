"""What every answer of the console carries, and what is not even looked at."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "onrecord_session"
LARGEST_FORM_BYTES = 16_384
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""No script at all, nothing from elsewhere, no inline style, no copy in a cache."""
READING = ["GET", "HEAD"]


class Guard:
    """Refuses forms that another site sent or that are too large, and puts :data:`HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), str(scope["path"]))
            await send(message)

        refusal = _refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)


def form_token(session: str) -> str:
    """What a form of this session must send back; another site cannot know it."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(session: str, sent: str) -> bool:
    """Whether a form was made by this session."""
    return hmac.compare_digest(form_token(session).encode(), sent.encode(errors="replace"))


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        if name != "Cache-Control" or not path.startswith("/static/"):
            headers[name] = value


def _refusal(scope: Scope) -> ASGIApp | None:
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    headers = Headers(scope=scope)
    if not _from_here(headers):
        return PlainTextResponse("Another site sent this form; nothing was done.\n", 403)
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LARGEST_FORM_BYTES:
        return PlainTextResponse("The form is too large; nothing was done.\n", 413)
    return None


def _from_here(headers: Headers) -> bool:
    """Whether a page of ours sent the form, as far as the browser tells (W3C Fetch Metadata, else ``Origin``)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
