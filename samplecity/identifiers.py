"""Ids as the platforms make them: Bluesky's TIDs and CIDs, Mastodon's snowflakes."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_CID_HEADER = b"\x01\x71\x12\x20"
_BLOB_HEADER = b"\x01\x55\x12\x20"
TID_LENGTH = 13


def tid(at: datetime, clock_id: int = 0) -> str:
    """A timestamp id (atproto.com/specs/tid): 53 bits of microseconds, 10 bits of clock id, base32-sortable."""
    number = ((at - EPOCH) // timedelta(microseconds=1)) << 10 | (clock_id & 1023)
    return "".join(_SORTABLE[(number >> shift) & 31] for shift in range(60, -1, -5))


def tid_microseconds(text: str) -> int:
    """The microseconds since 1970 in a TID. Raises ``ValueError`` where it is none."""
    if len(text) != TID_LENGTH:
        msg = f"{text!r} is no TID"
        raise ValueError(msg)
    number = 0
    for letter in text:
        number = number << 5 | _SORTABLE.index(letter)
    return number >> 10


def cid(content: bytes) -> str:
    """A CID of version 1 for a record (dag-cbor, SHA-256): ``bafyrei...``."""
    return _encode(_CID_HEADER, content)


def blob_cid(content: bytes) -> str:
    """A CID of version 1 for a blob (raw, SHA-256): ``bafkrei...``."""
    return _encode(_BLOB_HEADER, content)


def did(seed: str) -> str:
    """A ``did:plc`` (24 letters of base32) that always comes out the same for the same seed."""
    digest = hashlib.sha256(b"harborfalls/" + seed.encode()).digest()
    return "did:plc:" + base64.b32encode(digest).decode().lower()[:24]


def snowflake(at: datetime, sequence: int = 0) -> int:
    """A Mastodon id: milliseconds since 1970, 16 bits of sequence."""
    return ((at - EPOCH) // timedelta(milliseconds=1)) << 16 | (sequence & 0xFFFF)


def _encode(header: bytes, content: bytes) -> str:
    digest = header + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(digest).decode().lower().rstrip("=")
