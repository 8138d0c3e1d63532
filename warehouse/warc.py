"""WARC 1.1 records (ISO 28500): one ``warcinfo`` per object, a ``request`` and a ``response`` per exchange.

Each record is a gzip member of its own, so that one can be read alone by its offset. The header lines are written here,
not by a library: a page may cost little more than its download. Tests hold them against two independent readers.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote, urlsplit

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LEVEL = 1
_GZIP = 31
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_VALUE_SAFE = " !#$&'()*+,/:;=?@[]~|<>\"{}^`\\"
ORIGINAL = "X-Archive-Orig-"
"""Put before a header that told how the message was carried, which is undone: ``Transfer-Encoding`` (the convention of web archives)."""


class Exchange(Protocol):
    """A request and its response, as connectors record them."""

    @property
    def call(self) -> str:
        """Name of the endpoint asked."""

    @property
    def subject(self) -> str:
        """Native id asked about; empty for a listing."""

    @property
    def method(self) -> str:
        """HTTP method."""

    @property
    def url(self) -> str:
        """Address asked, without secrets."""

    @property
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """Without secrets."""

    @property
    def status(self) -> int:
        """HTTP status code."""

    @property
    def reason(self) -> str:
        """HTTP reason phrase."""

    @property
    def response_headers(self) -> tuple[tuple[str, str], ...]:
        """As they came."""

    @property
    def body(self) -> bytes:
        """Byte for byte, content encoding kept, transfer encoding undone."""

    @property
    def fetched_at(self) -> datetime:
        """When it was asked."""

    @property
    def elapsed_seconds(self) -> float:
        """How long the answer took."""


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What an object says of the capture it belongs to."""

    capture_id: str
    account_id: str
    platform: str
    service: str
    resource: str
    started_at: datetime
    software: str


def warcinfo(facts: CaptureFacts, part: int, filename: str) -> bytes:
    """The first record of an object: which capture, of what, by which software."""
    fields = {
        "software": facts.software,
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "onrecord-capture": facts.capture_id,
        "onrecord-part": str(part),
        "onrecord-account": facts.account_id,
        "onrecord-platform": facts.platform,
        "onrecord-service": facts.service,
        "onrecord-resource": facts.resource,
        "onrecord-started": _date(facts.started_at),
    }
    block = "".join(f"{name}: {_encoded(value)}\r\n" for name, value in fields.items()).encode()
    return _member(
        {
            "WARC-Type": "warcinfo",
            "WARC-Record-ID": _record_id(),
            "WARC-Date": _date(facts.started_at),
            "WARC-Filename": filename,
            "Content-Type": "application/warc-fields",
        },
        block,
    )


def facts_of(block: bytes) -> tuple[CaptureFacts, int]:
    """What a ``warcinfo`` block says, and the number of the part. Raises ``ValueError``."""
    lines = block.decode().splitlines()
    said = {name.strip(): unquote(value.strip()) for name, _, value in (line.partition(":") for line in lines)}
    try:
        facts = CaptureFacts(
            capture_id=said["onrecord-capture"],
            account_id=said["onrecord-account"],
            platform=said["onrecord-platform"],
            service=said["onrecord-service"],
            resource=said["onrecord-resource"],
            started_at=datetime.fromisoformat(said["onrecord-started"]),
            software=said["software"],
        )
        return facts, int(said["onrecord-part"])
    except KeyError as missing:
        msg = f"the warcinfo record does not say {missing}"
        raise ValueError(msg) from None


def exchange_records(exchange: Exchange) -> bytes:
    """The ``request`` and ``response`` records of an exchange, two gzip members."""
    request_id, response_id = _record_id(), _record_id()
    url = quote(exchange.url, safe=_URL_SAFE)
    date = _date(exchange.fetched_at)
    shared = {"WARC-Date": date, "WARC-Target-URI": url}
    request = _member(
        {
            "WARC-Type": "request",
            "WARC-Record-ID": request_id,
            **shared,
            "WARC-Concurrent-To": response_id,
            "Content-Type": "application/http;msgtype=request",
        },
        _request_head(exchange, url),
    )
    response = _member(
        {
            "WARC-Type": "response",
            "WARC-Record-ID": response_id,
            **shared,
            "WARC-Concurrent-To": request_id,
            "WARC-Payload-Digest": _digest(exchange.body),
            "Content-Type": "application/http;msgtype=response",
            "Onrecord-Call": _encoded(exchange.call),
            "Onrecord-Subject": _encoded(exchange.subject),
            "Onrecord-Elapsed-Seconds": f"{exchange.elapsed_seconds:.6f}",
        },
        _response_head(exchange) + exchange.body,
    )
    return request + response


def decoded(value: str) -> str:
    """The value of an extension header as it was before percent-encoding."""
    return unquote(value)


def _request_head(exchange: Exchange, url: str) -> bytes:
    address = urlsplit(url)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = exchange.request_headers
    if not any(name.lower() == "host" for name, _ in headers):
        headers = (("Host", address.netloc.rpartition("@")[2]), *headers)
    return _http(f"{exchange.method} {target} HTTP/1.1", headers)


def _response_head(exchange: Exchange) -> bytes:
    headers = (
        (ORIGINAL + name if name.lower() == "transfer-encoding" else name, value)
        for name, value in exchange.response_headers
    )
    return _http(f"HTTP/1.1 {exchange.status} {exchange.reason}", headers)


def _http(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [_one_line(first), *(f"{_one_line(name)}: {_one_line(value)}" for name, value in headers), "", ""]
    text = "\r\n".join(lines)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _member(headers: Mapping[str, str], block: bytes) -> bytes:
    lines = ["WARC/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"WARC-Block-Digest: {_digest(block)}", f"Content-Length: {len(block)}", "", ""]
    compressed: bytes = isal_zlib.compress(b"".join(("\r\n".join(lines).encode(), block, b"\r\n\r\n")), _LEVEL, _GZIP)
    return compressed


def _digest(data: bytes) -> str:
    return "sha256:" + base64.b32encode(hashlib.sha256(data).digest()).decode()


def _record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _encoded(value: str) -> str:
    return quote(value, safe=_VALUE_SAFE)


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
