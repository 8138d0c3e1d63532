"""Coverage by day, gaps, counts and lifetimes, from rows that say exactly what happened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from small_city import ACCOUNT, ACCOUNTS, City, record_id, row

from warehouse import mart
from warehouse.coverage_tables import PLATFORM_RESOURCES

if TYPE_CHECKING:
    from warehouse.bucket import Buckets

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NEVER = pa.Table.from_pylist(
    [{"platform": "bluesky", "resource": "posts", "deletion": "gone", "never": "who deleted it"}],
    schema=PLATFORM_RESOURCES,
)


def at(day: int, hour: float = 9) -> datetime:
    return MARCH + timedelta(days=day - 1, hours=hour)


class Looks(City):
    """A city told by its looks."""

    def look(self, resource: str, when: datetime, outcome: str = "complete", **more: Any) -> str:
        name = f"{when:%Y%m%dT%H%M}-{resource}"
        given = {"capture_id": name, "account_id": ACCOUNT, "platform": "bluesky", "resource": resource}
        self.rows["captures"].append(row("captures", **given, started_at=when, outcome=outcome, **more))
        return name

    def gap(self, resource: str, opened: datetime, closed: datetime | None = None, cause: str = "unreachable") -> None:
        given = {"gap_id": f"{opened:%d}-{resource}", "account_id": ACCOUNT, "resource": resource, "cause": cause}
        self.rows["gaps"].append(row("gaps", **given, opened_at=opened, closed_at=closed))

    def post(self, name: str, published: datetime, seen: datetime, look: str = "look", **more: Any) -> None:
        page = self.page("x", b"{}", seen)
        given = {"published_at": published, "capture_id": look, "author_is_account": True}
        self.version("post", name, 1, "first_seen", page, b"{}", **{**given, **more})

    def sighting(self, name: str, when: datetime, look: str, state: str = "present", **more: Any) -> None:
        given = {
            "record_id": record_id(name),
            "kind": "post",
            "state": state,
            "content_sha256": "x",
            "capture_id": look,
        }
        self.rows["sightings"].append(row("sightings", seen_at=when, **{**given, **more}))


@pytest.fixture
def ask(tmp_path: Path, buckets: Buckets) -> Any:
    def asked(city: City, sql: str) -> list[Any]:
        path = tmp_path / "mart.duckdb"
        if not path.exists():
            mart.build(city.archive(tmp_path, buckets), path, extra={"accounts": ACCOUNTS, "platform_resources": NEVER})
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    return asked


def test_each_day_has_the_word_it_deserves(ask: Any) -> None:
    city = Looks()
    for day in (1, 2, 5, 7, 8):
        city.look("posts", at(day), since=at(1) if day > 1 else None)
    for day in (1, 2, 3, 5, 7):
        city.look("comments", at(day))
    city.look("posts", at(3), "unreachable")
    city.gap("posts", at(2), at(5))
    city.look("comments", at(8), "credential_rejected")
    city.gap("comments", at(7), None, "credential_rejected")
    city.look("posts", at(9), "unreachable")
    city.gap("posts", at(8))
    city.post("old", at(1) - timedelta(days=400), at(1))
    found = ask(city, "SELECT day, coverage, lacking FROM coverage_by_day ORDER BY day")
    words = {day: word for day, word, _ in found}
    assert words == {
        date(2025, 1, 25): "recovered",  # before the first look; all of the past was read
        date(2026, 3, 1): "complete",
        date(2026, 3, 2): "recovered",  # a gap begins after the look of that day
        date(2026, 3, 3): "recovered",
        date(2026, 3, 4): "recovered",  # nobody looked at all
        date(2026, 3, 5): "recovered",
        date(2026, 3, 6): "recovered",
        date(2026, 3, 7): "partial",
        date(2026, 3, 8): "partial",
        date(2026, 3, 9): "missing",
    }
    lacking = {day: text for day, _, text in found}
    assert lacking[date(2026, 3, 7)] == "comments: partial"
    assert lacking[date(2026, 3, 9)] == "everything"


def test_what_a_connection_does_not_show_makes_a_day_partial(ask: Any) -> None:
    city = Looks()
    city.look("posts", at(1))
    city.look("moderation", at(1), "not_covered")
    city.gap("moderation", at(1), None, "not_covered")
    assert ask(city, "SELECT coverage, lacking FROM coverage_by_day") == [("partial", "moderation: not_covered")]


def test_a_past_that_is_not_read_is_partial_until_its_slices_are(ask: Any) -> None:
    city = Looks()
    for resource in ("posts", "comments"):
        city.look(resource, at(10), since=at(5))
        city.look(f"{resource}_history", at(11), since=at(3))
    for day in (2, 4, 6):
        city.post(f"of {day}", at(day), at(10))
    assert ask(
        city, "SELECT extract(day FROM day), coverage FROM coverage_by_day WHERE day < '2026-03-10' ORDER BY 1"
    ) == [
        (2, "partial"),
        (4, "recovered"),
        (6, "recovered"),
    ]


def test_an_account_that_stops_while_others_go_on_is_missing(ask: Any) -> None:
    city = Looks()
    city.look("posts", at(1))
    other = {"capture_id": "other", "account_id": "bluesky:did:plc:other", "platform": "bluesky", "resource": "posts"}
    city.rows["captures"].append(row("captures", **other, started_at=at(3), outcome="complete"))
    sql = f"SELECT extract(day FROM day), coverage FROM coverage_by_day WHERE account_id = '{ACCOUNT}' ORDER BY 1"
    assert ask(city, sql) == [(1, "complete"), (2, "missing"), (3, "missing")]


def test_days_stand_beside_what_the_platform_counts(ask: Any) -> None:
    city = Looks()
    city.look("profile", at(1), platform_total=3)
    city.look("profile", at(2), platform_total=2)
    city.look("posts", at(1))
    for name in ("a", "b"):
        city.post(name, at(1, 8), at(1))
    city.version(
        "post", "b", 2, "deleted", city.page("x", b"{}", at(2)), b"{}", state="deleted", author_is_account=True,
        seen_before=at(1), published_at=at(1, 8), text="b",
    )  # fmt: skip
    city.rows["metrics"] += [
        row("metrics", record_id=record_id("a"), name="replies", value=count, seen_at=at(day))
        for day, count in ((1, 1), (2, 5))
    ]
    sql = "SELECT extract(day FROM day), posts, platform_posts, own_posts, platform_replies, replies FROM coverage_by_day ORDER BY 1"
    assert ask(city, sql) == [(1, 2, 3, 2, 5, 0), (2, 0, 2, 1, None, None)]
    assert ask(city, "SELECT what, record_id, counted, held, difference FROM unreconciled WHERE what = 'replies'") == [
        ("replies", record_id("a"), 5, 0, 5)
    ]


def test_a_gap_says_what_later_looks_brought_and_what_never_comes(ask: Any) -> None:
    city = Looks()
    city.look("posts", at(1))
    city.look("posts", at(2), "unreachable")
    closing = city.look("posts", at(4), since=at(1))
    city.gap("posts", at(1), at(4))
    city.post("before", at(1, 8), at(1), "20260301T0900-posts")
    city.post("inside", at(3), at(4), closing)
    city.post("after", at(5), at(6))
    city.version(
        "post",
        "before",
        2,
        "edited",
        city.page("x", b"{}", at(4)),
        b"{}",
        text="new",
        capture_id=closing,
        seen_before=at(1),
    )
    city.sighting("before", at(4), closing)
    sql = "SELECT closed_by, recovered_records, found_changes, unrecoverable FROM gap_recovery"
    assert ask(city, sql) == [(closing, 1, 1, "who deleted it")]


def test_what_a_look_saw_is_accounted_for_record_by_record(ask: Any) -> None:
    city = Looks()
    first = city.look("posts", at(1))
    second = city.look("posts", at(2), skipped='{"ancestor": 2, "repost": 1}', items=9)
    for name in ("same", "edited", "gone"):
        city.post(name, at(1, 8), at(1), first)
        city.sighting(name, at(1), first)
    page = city.page("x", b"{}", at(2))
    for name, change, state in (("edited", "edited", "present"), ("gone", "deleted", "deleted")):
        city.version("post", name, 2, change, page, b"{}", state=state, text="2", capture_id=second, seen_before=at(1))
        city.sighting(name, at(2), second, state)
    city.sighting("same", at(2), second)
    city.sighting("same", at(2, 10), second)
    city.post("new", at(2, 8), at(2), second)
    city.sighting("new", at(2), second)
    city.sighting("never there", at(2), second, "deleted", content_sha256=None)
    city.sighting("only named", at(2), second, "hidden", content_sha256=None)
    city.sighting("lost", at(2), second)
    city.sighting("same", at(2), second, kind="gate")
    city.sighting("same", at(1), second, "edit_history")
    city.post("unlooked", at(2, 8), at(2), second)
    city.rows["quarantine"].append(row("quarantine", account_id=ACCOUNT, capture_id=second, reason="native_id"))
    [counts] = ask(
        city,
        "SELECT seen, records, new, changed, unchanged, gone, absent, quarantined, skipped_items, unaccounted, repeated"
        " FROM capture_ledger WHERE started_at > '2026-03-02'",
    )
    assert counts == (11, 7, 1, 1, 1, 1, 1, 1, 3, 3, 1)
    assert ask(city, "SELECT what, record_id, counted, held, reasons FROM unreconciled ORDER BY ALL") == [
        ("look", record_id("lost"), 1, 0, []),
        ("look", record_id("only named"), 1, 0, ["content_never_shown"]),
        ("version", record_id("unlooked"), 0, 1, []),
    ]


def test_lifetimes_are_those_of_what_was_published_while_watched(ask: Any) -> None:
    city = Looks()
    first, second, third = (city.look("posts", at(day)) for day in (1, 2, 3))
    city.post("before", at(1, 8), at(1), first)
    city.post("stands", at(1, 19), at(2), second)
    city.post("went", at(2, 8), at(2), second)
    for name, look, when in (
        ("before", first, at(1)),
        ("stands", second, at(2)),
        ("went", second, at(2)),
        ("stands", third, at(3)),
    ):
        city.sighting(name, when, look)
    page = city.page("x", b"{}", at(3))
    city.version("post", "went", 2, "deleted", page, b"{}", state="deleted", capture_id=third, seen_before=at(2))
    city.post("ahead of its time", at(4), at(3), third)
    found = ask(
        city,
        "SELECT kind, entry_seconds / 3600, lower_seconds / 3600, upper_seconds / 3600, items FROM lifetimes ORDER BY 2",
    )
    assert [(kind, items) for kind, *_, items in found] == [("post", 1), ("post", 1)]
    went, stands = found
    assert went[1:4] == pytest.approx((1, 1, 25), rel=0.06)
    assert stands[1:3] == pytest.approx((14, 38), rel=0.06)
    assert stands[3] is None
