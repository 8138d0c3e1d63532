"""What the mart tells of the accounts' habits: handles, silence, items that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compliance.policy_findings import FindingTerms

SQL = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class Habit:
    """How an account publishes; only accounts with enough posts have one."""

    posts: int
    last_published_at: datetime
    usual: timedelta
    """The gap between two posts that it hardly ever exceeds."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Items of an account that could not be read lately."""

    quarantined: int
    items: int
    """All items its captures showed in that time."""
    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class MartFacts:
    """What the mart tells, by account id."""

    built_at: datetime
    handles: Mapping[str, str]
    habits: Mapping[str, Habit]
    set_aside: Mapping[str, SetAside]


def read_facts(mart: Path, terms: FindingTerms, now: datetime) -> MartFacts | None:
    """Read the mart; ``None`` where none is built yet. Raises :class:`duckdb.Error` where the file is no mart."""
    if not mart.exists():
        return None
    with duckdb.connect(str(mart), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        built = connection.execute("SELECT max(built_at) FROM mart_info").fetchone()
        return MartFacts(
            built_at=_utc(built[0]) if built else datetime.fromtimestamp(0, UTC),
            handles={row[0]: row[1] for row in _ask(connection, "handles", {})},
            habits=_habits(connection, terms, now),
            set_aside=_set_aside(connection, now - timedelta(hours=terms.quarantine.window_hours)),
        )


def _habits(connection: duckdb.DuckDBPyConnection, terms: FindingTerms, now: datetime) -> dict[str, Habit]:
    asked = {
        "since": now - timedelta(days=terms.silence.habit_days),
        "now": now,
        "usual": terms.silence.usual_percentile / 100,
        "habit_posts": terms.silence.habit_posts,
    }
    return {
        row[0]: Habit(row[1], _utc(row[2]), timedelta(seconds=row[3] or 0)) for row in _ask(connection, "habits", asked)
    }


def _set_aside(connection: duckdb.DuckDBPyConnection, since: datetime) -> dict[str, SetAside]:
    return {
        row[0]: SetAside(row[1], int(row[2]), row[3], row[4])
        for row in _ask(connection, "quarantine", {"since": since})
    }


def _ask(connection: duckdb.DuckDBPyConnection, name: str, asked: Mapping[str, object]) -> list[tuple[Any, ...]]:
    return connection.execute((SQL / f"findings_{name}.sql").read_text(), asked or None).fetchall()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
