"""A conversation as plain text: who said what when, what was edited, hidden or deleted, and which parts answer the request."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

WIDTH = 100
DEEPEST_INDENT = 8
_MARK = ">>> "
_NO_MARK = "    "
_STATES = {
    "hidden": "hidden from the public",
    "deleted": "deleted",
    "unavailable": "no longer shown by the platform, which does not say why",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One post or comment of a conversation, as the archive last knew it."""

    root_id: str
    depth: int
    record_id: str
    numbers: Sequence[int] | None
    """Numbers it has in the package; None where it is context only."""
    versions: Sequence[int] | None
    account_title: str
    platform: str
    author_name: str | None
    author_handle: str | None
    author_is_account: bool | None
    published_at: datetime | None
    version: int
    state: str
    change: str
    seen_before: datetime | None
    seen_after: datetime
    title: str | None
    text: str | None
    url: str | None


def heading(first: Said, *, as_of: datetime, zone: tzinfo) -> str:
    """What stands above a conversation."""
    return "\n".join(
        [
            f"Conversation on {first.account_title} ({first.platform})",
            first.url or first.root_id,
            f"As the archive knew it on {moment(as_of, zone)}. Times are {zone}.",
            "Marked with >>>: records that answer the request, with their number in records.xlsx.",
            "All others are shown for context only.",
            "",
            "",
        ]
    )


def paragraph(said: Said, zone: tzinfo) -> str:
    """One post or comment, indented under what it answers."""
    mark = _MARK if said.numbers else _NO_MARK
    margin = _NO_MARK + "    " * min(said.depth, DEEPEST_INDENT)
    lines = [mark + margin[len(mark) :] + _who(said, zone)]
    lines += [margin + note for note in _notes(said, zone)]
    lines += list(_wrapped(said.title, margin)) if said.title else []
    lines += list(_wrapped(said.text, margin)) if said.text else [f"{margin}(no text)"]
    return "\n".join(lines) + "\n\n"


def moment(value: datetime, zone: tzinfo) -> str:
    """``2026-03-01 12:00:05 UTC``."""
    local = value.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or zone}"


def _who(said: Said, zone: tzinfo) -> str:
    name = _clean(said.author_name or said.author_handle or "unknown author")
    handle = f" ({_clean(said.author_handle)})" if said.author_handle and said.author_name else ""
    city = ", for the City" if said.author_is_account else ""
    at = moment(said.published_at, zone) if said.published_at else "time not given"
    numbers = f"No. {', '.join(map(str, said.numbers))}: " if said.numbers else ""
    return f"{numbers}{name}{handle}{city}, {at}"


def _notes(said: Said, zone: tzinfo) -> Iterator[str]:
    told = _STATES.get(said.state)
    if told:
        since = f"after {moment(said.seen_before, zone)} and " if said.seen_before else ""
        yield f"[{told}: {since}before {moment(said.seen_after, zone)}]"
    if said.version > 1 and said.change == "edited":
        yield f"[edited; this is version {said.version}]"
    older = sorted({version for version in said.versions or () if version != said.version})
    if older:
        yield f"[the request is answered by version {', '.join(map(str, older))}, in records.csv]"


def _wrapped(text: str, margin: str) -> Iterator[str]:
    for line in _clean(text, keep="\n").split("\n"):
        yield from textwrap.wrap(line, WIDTH, initial_indent=margin, subsequent_indent=margin) or [""]


def _clean(text: str, keep: str = "") -> str:
    """The text without control characters: a viewer must show it, not obey it."""
    return "".join(sign if sign in keep or unicodedata.category(sign) != "Cc" else " " for sign in text)
