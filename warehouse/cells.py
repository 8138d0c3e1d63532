"""A value of the mart as text: one way for the screen, CSV, spreadsheets and packages."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  (full-width signs count too)
_LINE_BREAKS = {ord("\n"): "⏎", ord("\r"): "", ord("\t"): " "}
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_KEPT = frozenset({"\u200d", "\u200c", "\ufe0f"})
"""Joiners that emoji and scripts need; they move nothing on the screen."""


def values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """The column as Python values; text where Python has no such value (a date before year 1, nanoseconds)."""
    import pyarrow as pa  # noqa: PLC0415  (whoever has a column has loaded it)

    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return list(column.cast(pa.string()).to_pylist())


def text(value: object) -> str:  # noqa: PLR0911  (a line per kind of value)
    """The value as text: nothing for None, ISO 8601 in UTC for moments, JSON for lists and structures."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case datetime():
            return moment(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _ if _is_interval(value):
            return interval(value)
        case _:
            return json(value).decode()


def interval(value: Any) -> str:  # noqa: ANN401  (Arrow's tuple of months, days and nanoseconds)
    """``1 month 3 days 04:05:06``."""
    parts = [
        f"{count} {unit}{'s' * (abs(count) != 1)}"
        for count, unit in ((value.months, "month"), (value.days, "day"))
        if count
    ]
    if value.nanoseconds or not parts:
        sign = "-" if value.nanoseconds < 0 else ""
        seconds, nanoseconds = divmod(abs(value.nanoseconds), 1_000_000_000)
        fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
        parts.append(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}")
    return " ".join(parts)


def _is_interval(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "nanoseconds")


def moment(value: datetime) -> str:
    """``2026-03-01T12:00:00Z``; without zone where the value has none."""
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def brief(value: object) -> str:
    """The value as text for a screen: as :func:`text`, moments to the second."""
    return text(value.replace(microsecond=0) if isinstance(value, datetime) else value)


def json(value: object) -> bytes:
    """The value as JSON; moments as ISO 8601, decimals as text, bytes as hexadecimal."""
    return msgspec.json.encode(_plain(value))


def _plain(value: object) -> object:  # noqa: PLR0911  (a line per kind of value)
    """The value with what JSON cannot hold made text."""
    match value:
        case None | str() | bool() | float():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else str(value)
        case dict():
            return {text(key): _plain(item) for key, item in value.items()}
        case datetime() | bytes() | Decimal() | date() | time():
            return text(value)
        case timedelta():
            return value.total_seconds()
        case _ if _is_interval(value):
            return text(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def guarded(value: str) -> str:
    """The text with an apostrophe before what a spreadsheet program would run as a formula (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA_SIGNS) else value


def printable(value: str) -> str:
    """The text in one line, unable to steer the terminal: no control sequence, no change of direction."""
    if value.isascii() and value.isprintable():
        return value
    clean = value.translate(_LINE_BREAKS)
    return "".join(sign if _harmless(sign) else "�" for sign in clean)


def _harmless(sign: str) -> bool:
    return sign in _KEPT or unicodedata.category(sign) not in _UNSEEN


def width(value: str) -> int:
    """Columns the text takes on a screen."""
    if value.isascii():
        return len(value)
    return sum(_columns(sign) for sign in value)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or sign in _KEPT:
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def shortened(value: str, columns: int) -> str:
    """The text, cut with an ellipsis where it is wider than ``columns``."""
    if width(value) <= columns:
        return value
    taken, room = 0, columns - 1
    for index, sign in enumerate(value):
        taken += _columns(sign)
        if taken > room:
            return value[:index] + "…"
    return value
