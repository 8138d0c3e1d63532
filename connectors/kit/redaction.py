"""What must not reach evidence, logs or messages, and how it is taken out.

Only the request side is changed: a response is kept as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.exchange import Headers

REDACTED = "REDACTED"

SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token", "x-csrf-token", "x-wp-nonce"}
)
SECRET_PARAMETERS = frozenset(
    {
        "access_token", "api_key", "apikey", "app_password", "appsecret_proof", "auth", "authorization", "client_secret",
        "id_token", "input_token", "jwt", "key", "nonce", "oauth_token", "passwd", "password", "refresh_token", "secret",
        "session", "sid", "sig", "signature", "token", "_wpnonce",
    }
)  # fmt: skip
"""Exact names, since ``author``, ``page_token`` and ``cursor`` are needed to read the evidence."""


def clean_url(url: str) -> str:
    """The address without user names, passwords and token-like parameters."""
    if "?" not in url and "@" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if query and any(_is_secret(piece.partition("=")[0]) for piece in query.split("&")):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, REDACTED if _is_secret(name) else value) for name, value in pairs])
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def clean_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Request headers with the values of secret ones replaced."""
    return tuple((name, REDACTED if name.lower() in SECRET_HEADERS else value) for name, value in headers)


def scrub(text: str, secrets: Iterable[str], *, limit: int = 200) -> str:
    """Words of a platform, fit for a message: one line, printable, cut to ``limit`` characters, without the secrets given."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_secret(name: str) -> bool:
    return name.lower().replace("-", "_") in SECRET_PARAMETERS
