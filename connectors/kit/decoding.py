"""From the bytes of an answer to the little a connector needs of it: ids, dates, the place to go on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from isal import isal_zlib

if TYPE_CHECKING:
    from connectors.exchange import Exchange

T = TypeVar("T")

_NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
GZIP = 31
"""Window bits for a gzip wrapper, as zlib counts them."""
CONTENT_LIMIT_BYTES = 256 * 2**20
"""The most a body may unfold to."""


class Undecodable(Exception):
    """The body is not what was asked for: damaged, not JSON, or JSON of another shape."""


class OtherShape(Undecodable):
    """The body is JSON of another shape: ``value`` is what it holds."""

    def __init__(self, message: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        super().__init__(message)
        self.value = value


def content_of(exchange: Exchange) -> bytes:
    """The body with its content encoding undone. Raises :class:`Undecodable`."""
    try:
        is_gzip = (exchange.header("content-encoding") or "").lower() in ("gzip", "x-gzip")
        return _gunzip(exchange.body) if is_gzip else exchange.content
    except ValueError as problem:
        raise Undecodable(str(problem)) from problem


def decode(content: bytes, shape: type[T]) -> T:
    """The body as ``shape``; unknown fields are passed over.

    Raises :class:`OtherShape` for JSON that does not fit, :class:`Undecodable` for anything else.
    """
    try:
        return _decoder(shape).decode(content)  # type: ignore[no-any-return,arg-type]
    except msgspec.ValidationError as problem:
        # damaged JSON may show its other shape first
        raise OtherShape(str(problem), _anything(content)) from None
    except _NOT_JSON as problem:
        raise _undecodable(content) from problem


def _anything(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return msgspec.json.decode(content)
    except _NOT_JSON:
        raise _undecodable(content) from None


def _undecodable(content: bytes) -> Undecodable:
    start = content[:40].lstrip()
    kind = "a web page" if start[:1] == b"<" else "cut or damaged JSON" if start[:1] in (b"{", b"[") else "no JSON"
    return Undecodable(f"{kind} ({len(content)} bytes) came where JSON was asked for")


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401 - types are hashable values here
    return msgspec.json.Decoder(shape)


def _gunzip(body: bytes) -> bytes:
    pieces: list[bytes] = []
    left = CONTENT_LIMIT_BYTES
    while body:
        member = isal_zlib.decompressobj(GZIP)
        try:
            pieces.append(member.decompress(body, left + 1))
        except isal_zlib.error as problem:  # type: ignore[misc]
            msg = f"the gzip body is damaged: {problem}"
            raise Undecodable(msg) from problem
        left -= len(pieces[-1])
        if not member.eof or left < 0:
            msg = "the gzip body is cut" if left >= 0 else f"the body unfolds to more than {CONTENT_LIMIT_BYTES} bytes"
            raise Undecodable(msg)
        body = member.unused_data
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
