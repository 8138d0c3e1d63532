"""What a person must look at: accounts that fail or fall silent, and a mart that is old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from console.tables import Row

SHOWN = 10
"""Failing accounts told one by one; the table of accounts, sorted by trouble, has all."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is not as it should be: what, since when or why, and the accounts it is about.

    A page adds the name of a single account to the heading, and lists several below the text.
    """

    heading: str
    text: str
    accounts: Sequence[Row] = ()


def of_accounts(accounts: Sequence[Row], now: datetime) -> list[Alarm]:
    """Alarms for accounts, the worst first: ``accounts`` are rows of ``accounts.sql``."""
    failing, never, late = (_those(accounts, word) for word in ("failing", "never complete", "late"))
    found = [_failing(row, now) for row in failing[:SHOWN]]
    if failing[SHOWN:]:
        text = "The table of accounts below begins with all that fail."
        found.append(Alarm(f"The last look failed at {_counted(len(failing) - SHOWN)} more", text))
    if never:
        text = "Approved, but no look was ever complete."
        found.append(Alarm(_heading("Never looked at completely", never), text, never))
    if late:
        oldest = min(row["complete_as_of"] for row in late)
        text = f"Captures have stopped or cannot keep up. The oldest complete look is of {_moment(oldest)}, {ago(oldest, now)}."
        found.append(Alarm(_heading("No recent complete look", late), text, late))
    return found


def of_mart(built_at: datetime, now: datetime, allowed: timedelta) -> list[Alarm]:
    """An alarm where the mart was not built for longer than is ``allowed``."""
    if now - built_at <= allowed:
        return []
    text = f"The mart was last built {_moment(built_at)}, {ago(built_at, now)}. What was captured since is not on this page."
    return [Alarm("This page is old", text)]


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in words: "3 days ago"."""
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s ago"
    return f"{minutes} minutes ago" if minutes > 1 else "just now"


def _failing(row: Row, now: datetime) -> Alarm:
    error = str(row["last_error"] or "").strip()
    stop = "" if error.endswith((".", "!", "?")) else "."
    parts = [f"{error[:1].upper()}{error[1:]}{stop}"] if error else []
    if row["gap_since"]:
        parts.append(f"Not covered since {_moment(row['gap_since'])}, {ago(row['gap_since'], now)}.")
    return Alarm("The last look failed", " ".join(parts), [row])


def _those(accounts: Sequence[Row], word: str) -> list[Row]:
    return [row for row in accounts if row["capture"] == word]


def _heading(what: str, accounts: Sequence[Row]) -> str:
    """What it is, and of how many accounts; a single one is named by the page."""
    return what if len(accounts) == 1 else f"{what}: {_counted(len(accounts))}"


def _counted(accounts: int) -> str:
    return f"{accounts:,} account{'' if accounts == 1 else 's'}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
