"""Text as search wants it, times and languages as tables want them, and the hash that marks a version."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

import msgspec

_FOREIGN = re.compile(r"[^\x00-\x7f]")
_ADDRESS = re.compile(r"https?://[^\s<>\"'()]+[^\s<>\"'().,;:!?]")
_encode = msgspec.json.Encoder().encode


def folded(text: str | None) -> str | None:
    """The text without case and accents: NFKD, combining marks dropped, case folded. None where that changes nothing."""
    if text is None:
        return None
    if text.isascii():
        folding = text.lower()
    else:
        folding = text
        for character in set(_FOREIGN.findall(text)):
            plain = _plain(character)
            if plain != character:
                folding = folding.replace(character, plain)
        # lower() of bytes leaves all but A to Z alone, and is far quicker than that of a text outside ASCII
        folding = folding.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    return None if folding == text else folding


@lru_cache(maxsize=65_536)
def _plain(character: str) -> str:
    """One character decomposed, without marks, case folded; the same few accents, dashes and emoji are met again and again."""
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(part for part in decomposed if not unicodedata.combining(part)).casefold()


def moment(value: str | None) -> datetime | None:
    """An ISO 8601 time as UTC without zone, which is how columns are filled; None where it is not one.

    A time without zone is taken as UTC. Digits beyond microseconds are dropped. Times in the future stay: they are
    what the author's program claimed.
    """
    if not value:
        return None
    try:
        if value[-1] == "Z":
            time = datetime.fromisoformat(value[:-1])
            return time if time.tzinfo is None else None
        time = datetime.fromisoformat(value)
        return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def digest(*parts: object) -> str:
    """SHA-256 over the parts as one JSON array: what makes a version, in a fixed order."""
    return sha256(_encode(parts)).hexdigest()


def known(value: str | None) -> str | None:
    """None for an empty or blank text: absent is not "" here."""
    return value if value and not value.isspace() else None


def addresses(text: str | None) -> list[str] | None:
    """Web addresses written out in a text, each once and in order."""
    return list(dict.fromkeys(_ADDRESS.findall(text or ""))) or None
