"""Why an item could not become a row: reason codes that stay the same, and details without content.

::

    Broken                    the item goes to quarantine with ``reason``; the rest of its page goes on
    PageBroken                the page as a whole goes to quarantine
"""

from __future__ import annotations

import re

import msgspec

PAGE_NOT_JSON = "page_not_json"
"""HTML, a cut or an empty body."""
PAGE_SHAPE = "page_shape"
"""JSON, but not the documented list or object: an error inside a 200, or a new shape."""
ITEM_NOT_JSON = "item_not_json"
"""Bytes or escapes that are no text, or nesting without end."""
ITEM_SHAPE = "item_shape"
"""A field that is missing or of another type than documented."""
NATIVE_ID = "native_id"
"""No usable id."""
RECORD_TYPE = "record_type"
"""A thing of another type than the listing is for."""
OTHER_ACCOUNT = "other_account"
"""Something of another account than the one asked for."""
CALL_UNKNOWN = "call_unknown"
"""No normalizer for this call."""

DECODING = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding hostile bytes can raise."""


class Broken(Exception):
    """This item cannot become a row."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class PageBroken(Broken):
    """This page cannot be read at all."""


def why(problem: Exception) -> Broken:
    """The reason and a detail without content for whatever reading an item raised."""
    if isinstance(problem, Broken):
        return problem
    if isinstance(problem, msgspec.ValidationError):
        return Broken(ITEM_SHAPE, str(problem))
    return Broken(ITEM_NOT_JSON, type(problem).__name__)


class _Named(msgspec.Struct):
    uri: str | None = None
    id: int | str | None = None
    did: str | None = None


_ID = re.compile(rb'"(?:uri|id|did)"\s*:\s*(?:"([^"\\\x00-\x1f]{1,400})"|([0-9]{1,20}))')


def native_id(item: bytes) -> str | None:
    """The id of a broken item, if it can still be read."""
    try:
        named = msgspec.json.decode(item, type=_Named)
    except DECODING:
        found = _ID.search(item)
        return (found[1] or found[2]).decode("utf-8", "replace") if found else None
    value = next((value for value in (named.id, named.uri, named.did) if value is not None), None)
    return None if value is None else str(value)
