"""When a moderation action was in force, as tightly as the looks tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from warehouse import mart

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = (
    "account, account_id, platform, record_id, version, state, action, subject_id, reason, actor_id, acted_at, seen_before, seen_after, "
    "capture_id, evidence_key, evidence_offset"
)


@pytest.fixture
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """Looks at the moderation of one account at 1, 2, 3 and 4 o'clock, the third cut off."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            SET TimeZone = 'UTC';
            CREATE TABLE captures AS
            SELECT 'c' || hour AS capture_id, 'a' AS account_id, 'moderation' AS resource,
                   if(hour = 3, 'unreachable', 'complete') AS outcome, NULL::VARCHAR AS skipped,
                   TIMESTAMPTZ '2026-01-01 00:00:00+00' + hour * INTERVAL 1 HOUR AS started_at,
                   started_at + INTERVAL 1 MINUTE AS ended_at
            FROM range(1, 5) AS t(hour);
            INSERT INTO captures SELECT 'p4', 'a', 'posts', 'complete', NULL, started_at, ended_at FROM captures WHERE capture_id = 'c4';
            CREATE TABLE moderation_actions (
                account VARCHAR, account_id VARCHAR, platform VARCHAR, record_id VARCHAR, version INTEGER, state VARCHAR, action VARCHAR,
                subject_id VARCHAR, reason VARCHAR, actor_id VARCHAR, acted_at TIMESTAMPTZ, seen_before TIMESTAMPTZ,
                seen_after TIMESTAMPTZ, capture_id VARCHAR, evidence_key VARCHAR, evidence_offset BIGINT
            );
            """
        )
        yield connection


def saw(
    connection: duckdb.DuckDBPyConnection,
    version: int,
    state: str,
    capture: str,
    at: datetime,
    *,
    before: datetime | None = None,
    reason: str | None = None,
    action: str = "block",
) -> None:
    """Add a version of the one action there is."""
    row = [
        "hall",
        "a",
        "x",
        "x:block/1",
        version,
        state,
        action,
        "x:1",
        reason,
        "x:a",
        None,
        before,
        at,
        capture,
        "key",
        0,
    ]
    connection.execute(f"INSERT INTO moderation_actions ({NAMES}) VALUES ({', '.join('?' * len(row))})", row)


def clock(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 1, hour, minute, tzinfo=UTC)


def intervals(connection: duckdb.DuckDBPyConnection) -> list[tuple[datetime | None, ...]]:
    connection.execute(mart.read_sql("moderation_intervals"))
    asked = (
        "SELECT began_after, began_before, ended_after, ended_before FROM moderation_intervals ORDER BY began_before"
    )
    return [tuple(moment and moment.astimezone(UTC) for moment in row) for row in connection.execute(asked).fetchall()]


def test_an_action_began_after_the_last_complete_look_that_did_not_show_it(tables: duckdb.DuckDBPyConnection) -> None:
    saw(tables, 1, "present", "c4", clock(4, 0))
    assert intervals(tables) == [(clock(2), clock(4), None, None)]


def test_what_the_first_look_showed_may_have_begun_at_any_time(tables: duckdb.DuckDBPyConnection) -> None:
    saw(tables, 1, "present", "c1", clock(1))
    assert intervals(tables) == [(None, clock(1), None, None)]


def test_a_look_that_does_not_list_actions_bounds_none(tables: duckdb.DuckDBPyConnection) -> None:
    saw(tables, 1, "present", "p4", clock(4))
    assert intervals(tables) == [(None, clock(4), None, None)]


def test_each_time_in_force_is_a_row_and_a_changed_reason_ends_none(tables: duckdb.DuckDBPyConnection) -> None:
    saw(tables, 1, "present", "c1", clock(1), reason="words: a")
    saw(tables, 2, "present", "c2", clock(2), before=clock(1), reason="words: a, b")
    saw(tables, 3, "deleted", "c3", clock(3), before=clock(2))
    saw(tables, 4, "present", "c4", clock(4), before=clock(3))
    assert intervals(tables) == [(None, clock(1), clock(2), clock(3)), (clock(3), clock(4), None, None)]


@pytest.mark.parametrize(
    ("skipped", "since"),
    [
        ('{"labels_not_read": 2}', clock(2)),
        ('{"list_not_shown": 1}', clock(1)),
        ('{"labels_not_read": 2, "list_not_shown": 1}', clock(1)),
    ],
)
def test_a_look_bounds_unless_something_of_its_lists_was_left_out(
    tables: duckdb.DuckDBPyConnection, skipped: str, since: datetime
) -> None:
    tables.execute("UPDATE captures SET skipped = ? WHERE capture_id = 'c2'", [skipped])
    saw(tables, 1, "present", "c4", clock(4))
    assert intervals(tables) == [(since, clock(4), None, None)]


@pytest.mark.parametrize("action", ["label", "takedown"])
def test_a_look_that_did_not_show_a_label_does_not_say_that_it_was_not_given(
    tables: duckdb.DuckDBPyConnection, action: str
) -> None:
    saw(tables, 1, "present", "c4", clock(4), action=action)
    assert intervals(tables) == [(None, clock(4), None, None)]
