"""Names in the AT Protocol: at-URIs, and the times that lie in record keys.

A record key made by the usual clients is a TID: 13 characters of base 32 that sort like the microsecond they were made in.
``createdAt`` is whatever the author's client wrote, years off where posts were imported; the key says when the
record came to be. https://atproto.com/specs/tid, https://atproto.com/specs/at-uri-scheme
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_TID = re.compile(rf"[{_ALPHABET[:16]}][{_ALPHABET}]{{12}}")
DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}")
_URI = re.compile(rf"at://({DID.pattern})/" r"([A-Za-z0-9.-]{3,317})/([A-Za-z0-9._~:-]{1,512})")
_CLOCK_BITS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AtUri:
    """Address of a record: whose repository, which collection, which key."""

    did: str
    collection: str
    key: str

    def __str__(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.key}"

    @classmethod
    def parse(cls, text: object) -> AtUri | None:
        """The address a text spells, or ``None``. Only the form with a DID is one: handles change."""
        found = _URI.fullmatch(text) if isinstance(text, str) else None
        return cls(*found.groups()) if found else None

    @property
    def made_at(self) -> datetime | None:
        """When the record came to be, from its key."""
        return tid_time(self.key)


def tid_time(key: str) -> datetime | None:
    """The time a record key holds; ``None`` where it is no TID."""
    if not _TID.fullmatch(key):
        return None
    number = int(key.translate(_DIGITS), len(_ALPHABET))
    return _EPOCH + timedelta(microseconds=number >> _CLOCK_BITS)
