"""The past: what the public could see at a moment, how certain that is, and exactly where one answer ends and the next begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from filled_mart import filled
from hypothesis import given, settings
from hypothesis import strategies as st
from small_city import ACCOUNT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAY = datetime(2026, 3, 2, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def version(
    name: str, number: int, change: str, *, after: float, before: float | None = None, **values: Any
) -> dict[str, Any]:
    state = change if change in ("hidden", "deleted", "unavailable") else "present"
    return {
        "record_id": name,
        "account_id": ACCOUNT,
        "version": number,
        "change": change,
        "state": state,
        "seen_before": None if before is None else at(before),
        "seen_after": at(after),
        "text": f"{name} {number}",
        "root_id": "root",
        "parent_id": None if name == "root" else "root",
        **values,
    }


COMMENTS = [
    version("edited", 1, "first_seen", after=10, published_at=at(9)),
    version("edited", 2, "edited", before=12, after=14, published_at=at(9)),
    version("edited", 3, "deleted", before=15, after=16, published_at=at(9)),
    version("plain", 1, "first_seen", after=10, published_at=at(9)),
    version("touched", 1, "first_seen", after=10, published_at=at(8), platform_edited_at=at(9)),
    version("timeless", 1, "first_seen", after=10),
    version("gated", 1, "first_seen", after=10, published_at=at(9)),
    version("gated", 2, "hidden", after=14, published_at=at(9)),
    version("early", 1, "first_seen", after=10, published_at=at(30)),
]
POSTS = [
    version("root", 1, "first_seen", after=10, published_at=at(7)),
    version("root", 2, "edited", before=12, after=14, published_at=at(7)),
    version("other", 1, "first_seen", after=10, published_at=at(7), root_id="other", parent_id=None),
]
METRICS = [
    {"record_id": "root", "name": "likes", "value": value, "seen_at": at(hour)}
    for value, hour in ((3, 10), (5, 12), (4, 14))
]


@pytest.fixture(scope="module")
def city() -> DuckDBPyConnection:
    return filled(posts=POSTS, comments=COMMENTS, metrics=METRICS)


def held(city: DuckDBPyConnection, name: str, moment: datetime) -> list[tuple[Any, ...]]:
    sql = "SELECT version, state, certainty FROM records_as_of($moment) WHERE record_id = $name"
    return city.execute(sql, {"moment": moment, "name": name}).fetchall()


@pytest.mark.parametrize(
    ("name", "moment", "answer"),
    [
        ("edited", at(9) - INSTANT, []),
        ("edited", at(9), [(1, "present", "inferred")]),
        ("edited", at(10) - INSTANT, [(1, "present", "inferred")]),
        ("edited", at(10), [(1, "present", "seen")]),
        ("edited", at(12), [(1, "present", "seen")]),
        ("edited", at(12) + INSTANT, [(1, "present", "inside_interval")]),
        ("edited", at(14) - INSTANT, [(1, "present", "inside_interval")]),
        ("edited", at(14), [(2, "present", "seen")]),
        ("edited", at(15), [(2, "present", "seen")]),
        ("edited", at(15) + INSTANT, [(2, "present", "inside_interval")]),
        ("edited", at(16), [(3, "deleted", "seen")]),
        ("edited", at(9999), [(3, "deleted", "seen")]),
        ("plain", at(9999), [(1, "present", "seen")]),
        ("touched", at(9) - INSTANT, [(1, "present", "edited_since")]),
        ("touched", at(9), [(1, "present", "inferred")]),
        ("timeless", at(10) - INSTANT, []),
        ("timeless", at(10), [(1, "present", "seen")]),
        ("gated", at(10), [(1, "present", "inside_interval")]),
        ("gated", at(14), [(2, "hidden", "seen")]),
        ("early", at(10) - INSTANT, []),
        ("early", at(10), [(1, "present", "seen")]),
    ],
)
def test_an_answer_ends_and_the_next_begins_with_the_look_that_shows_it(
    city: DuckDBPyConnection, name: str, moment: datetime, answer: list[tuple[Any, ...]]
) -> None:
    assert held(city, name, moment) == answer


@settings(deadline=None, max_examples=30)
@given(hours=st.floats(min_value=-1, max_value=40))
def test_every_function_gives_the_same_answer_and_a_record_at_most_once(city: DuckDBPyConnection, hours: float) -> None:
    moment = {"moment": at(hours)}

    def asked(function: str) -> set[tuple[Any, ...]]:
        rows = city.execute(f"SELECT record_id, version, state, certainty, text FROM {function}", moment).fetchall()
        assert len({record for record, *_ in rows}) == len(rows)
        return set(rows)

    everything = asked("records_as_of($moment)")
    posts, comments = asked("posts_as_of($moment)"), asked("comments_as_of($moment)")
    assert posts | comments == everything
    assert not posts & comments
    assert asked("thread_as_of('root', $moment)") == {one for one in everything if one[0] != "other"}


def test_a_thread_is_found_by_any_of_its_records(city: DuckDBPyConnection) -> None:
    def thread(record: str, hour: float) -> list[tuple[Any, ...]]:
        sql = "SELECT record_id, depth, version FROM thread_as_of($record, $moment) ORDER BY position"
        return city.execute(sql, {"record": record, "moment": at(hour)}).fetchall()

    whole = thread("root", 11)
    assert whole[0] == ("root", 0, 1)
    assert {record for record, *_ in whole} == {"root", "edited", "plain", "touched", "timeless", "gated", "early"}
    assert thread("gated", 11) == whole
    assert thread("root", 8.5) == [("root", 0, 1), ("touched", 1, 1)]
    assert thread("nobody", 11) == []


def test_a_thread_whose_post_is_not_archived_is_found_by_its_name() -> None:
    city = filled(comments=[version("lost", 1, "first_seen", after=10, root_id="never seen", parent_id="never seen")])
    sql = "SELECT record_id FROM thread_as_of($record, '2026-03-03')"
    for record in ("lost", "never seen"):
        assert city.execute(sql, {"record": record}).fetchall() == [("lost",)]


def test_a_moment_may_be_text_with_or_without_a_zone(city: DuckDBPyConnection) -> None:
    sql = "SELECT version FROM comments_as_of($moment) WHERE record_id = 'edited'"
    for moment, expected in (
        ("2026-03-02 13:59", 1),
        ("2026-03-02 14:00", 2),
        ("2026-03-02 15:30:00+02", 1),
        ("2026-03-02T14:00:00Z", 2),
    ):
        assert city.execute(sql, {"moment": moment}).fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("hour", "value"), [(9.9, []), (10, [(3, at(10))]), (13.9, [(5, at(12))]), (14, [(4, at(14))]), (99, [(4, at(14))])]
)
def test_a_count_holds_until_another_is_seen(
    city: DuckDBPyConnection, hour: float, value: list[tuple[Any, ...]]
) -> None:
    sql = "SELECT value, seen_at FROM metrics_as_of($moment) WHERE record_id = 'root' AND name = 'likes'"
    assert city.execute(sql, {"moment": at(hour)}).fetchall() == value
