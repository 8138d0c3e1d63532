"""An item's own JSON, byte for byte, cut from the page it came in.

A row of the archive knows the SHA-256 of the bytes its platform sent for the item. Every JSON object of the page is hashed until one has that
hash, so what is cut out is proven by the same number that the row carries.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LARGEST_ITEM = 4 * 1024 * 1024
"""Bytes of an object inside a page; larger ones are not items."""
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}]', re.DOTALL)
_OPEN, _CLOSE = b"{", b"}"
_JSON_BEGINS = (b"{", b"[", b'"')


def find(content: bytes, wanted: Collection[str]) -> dict[str, bytes]:
    """The items with these SHA-256 (hexadecimal), as far as the page holds them. Works on cut and broken pages too."""
    missing = set(wanted)
    found: dict[str, bytes] = {}
    for span in _candidates(content):
        digest = hashlib.sha256(span).hexdigest()
        if digest in missing:
            found[digest] = bytes(span)
            missing.discard(digest)
            if not missing:
                break
    return found


def extension(content: bytes) -> str:
    """``json`` where it looks like JSON, else ``txt``: a platform's page that an item is gone may be anything."""
    return "json" if content.lstrip().startswith(_JSON_BEGINS) else "txt"


def _candidates(content: bytes) -> Iterator[memoryview]:
    """The whole page, then its objects as they end: those inside before those around them."""
    view = memoryview(content)
    yield view
    stripped = content.strip()
    if len(stripped) != len(content):
        yield memoryview(stripped)
    begins: list[int] = []
    for token in _TOKEN.finditer(content):
        sign = token[0]
        if sign == _OPEN:
            begins.append(token.start())
        elif sign == _CLOSE and begins:
            begin = begins.pop()
            if token.end() - begin <= LARGEST_ITEM:
                yield view[begin : token.end()]
