"""One HTTP request and its response, as they happened."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Request without secrets, response byte for byte.

    ``url`` and ``request_headers`` hold no secret: what was one reads ``REDACTED``. ``body`` is what came over the wire, before
    any content encoding is undone (a transfer encoding is undone: it belongs to the connection, not the message).
    """

    call: str
    """Name of the endpoint in the connector's table; normalizers go by it."""
    subject: str
    """Native id asked about; empty for a listing of the account itself."""
    method: str
    url: str
    request_headers: Headers
    status: int
    reason: str
    response_headers: Headers
    body: bytes
    fetched_at: datetime
    elapsed_seconds: float

    def header(self, name: str) -> str | None:
        """The first response header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.response_headers if key.lower() == wanted), None)

    @property
    def content(self) -> bytes:
        """The body with its content encoding undone. Raises ``ValueError`` where it cannot be."""
        encoding = (self.header("content-encoding") or "identity").lower()
        try:
            if encoding in ("gzip", "x-gzip"):
                return gzip.decompress(self.body)
            if encoding == "deflate":
                return zlib.decompress(self.body)
        except (OSError, EOFError, zlib.error) as problem:
            msg = f"the {encoding} body is damaged: {problem}"
            raise ValueError(msg) from problem
        if encoding not in ("identity", ""):
            msg = f"the body is encoded as {encoding}, which was not asked for"
            raise ValueError(msg)
        return self.body
