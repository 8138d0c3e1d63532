from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from compliance import holds, retention, retention_events
from compliance.faults import HoldRefused, MartIncomplete
from compliance.holds import Scope
from compliance.mart_tables import ACCOUNTS, retention_tables
from compliance.policy import Period, Retention, Rule, Series, When
from compliance.retention_events import RetentionEvent
from transforms.records import COMMENTS, MODERATION_ACTIONS, POSTS, PROFILES
from warehouse import mart
from warehouse.database import open_database
from warehouse.dictionary import OF_VERSIONS
from warehouse.query import NoMart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALL, WARD = "bluesky:hall", "mastodon:ward"


@dataclass
class City:
    """A mart with a few records, and the policy and database the audit takes its rules from."""

    engine: Engine
    file: Path
    series: list[Series] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    account_series: str | None = None

    def post(self, name: str, published: str | None, text: str = "words", **more: Any) -> None:
        at = None if published is None else datetime.fromisoformat(published).replace(tzinfo=UTC)
        row = {"record_id": name, "published_at": at, "text": text, "author_is_account": True, **more}
        self.records.setdefault("posts", []).append(row)

    def comment(self, name: str, published: str, text: str = "words", **more: Any) -> None:
        row = {"record_id": name, "published_at": datetime.fromisoformat(published).replace(tzinfo=UTC), "text": text}
        self.records.setdefault("comments", []).append({**row, "author_is_account": False, **more})

    def a_series(self, code: str, *, trigger: Any = "published", permanent: bool = False, **period: int) -> None:
        length = "permanent" if permanent else Period(**period)
        self.series.append(Series(code=code, title=code, period=length, trigger=trigger, authority="test"))  # type: ignore[arg-type]

    def rule(self, series: str, **when: Any) -> None:
        self.rules.append(Rule(name=f"rule {len(self.rules) + 1}", series=series, when=When(**when)))

    def audit(self, as_of: str) -> retention.Audit:
        self._build()
        policy = Retention(
            sample=True,
            title="test",
            version="1",
            effective=date(2026, 1, 1),
            authority="test",
            series=tuple(self.series),
            rules=tuple(self.rules),
        )
        return retention.audit(self.file, date.fromisoformat(as_of), tables=retention_tables(self.engine, policy))

    def statuses(self, as_of: str) -> dict[str, str]:
        with self.audit(as_of) as result:
            return {row["record_id"]: row["status"] for row in result.rows().read_all().to_pylist()}

    def rows(self, as_of: str) -> dict[str, dict[str, Any]]:
        with self.audit(as_of) as result:
            return {row["record_id"]: row for row in result.rows().read_all().to_pylist()}

    def _build(self) -> None:
        self.file.unlink(missing_ok=True)
        schemas = {"posts": POSTS, "comments": COMMENTS, "moderation_actions": MODERATION_ACTIONS, "profiles": PROFILES}
        with duckdb.connect(str(self.file)) as connection:
            for name, schema in schemas.items():
                given = _table(schema, self.records.get(name, []))
                connection.register("given", given)
                connection.table("given").create(name)
            given = pa.Table.from_pylist(
                [self._account(HALL, "city-hall"), self._account(WARD, "ward-3")], schema=ACCOUNTS
            )
            connection.register("given", given)
            connection.execute("CREATE TABLE accounts AS SELECT * FROM given")
            connection.execute(mart.read_sql("current_posts"))
            connection.execute(mart.read_sql("current_comments"))

    def _account(self, account_id: str, name: str) -> dict[str, Any]:
        platform, _, native_id = account_id.partition(":")
        row = dict.fromkeys(ACCOUNTS.names, "x")
        owner = (
            {"department": "Parks", "office": None} if account_id == HALL else {"department": None, "office": "Ward 3"}
        )
        known = {"account_id": account_id, "name": name, "platform": platform, "native_id": native_id}
        return {**row, **known, **owner, "retention": self.account_series, "registered_at": NOON}


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    full = pa.schema([*schema, *OF_VERSIONS])
    empty: dict[Any, Any] = {pa.string(): "x", pa.int32(): 1, pa.int64(): 1, pa.timestamp("us", tz="UTC"): NOON}
    default = {one.name: None if one.nullable else empty[one.type] for one in full}
    default |= {"account_id": HALL, "platform": "bluesky"}
    return pa.Table.from_pylist([{**default, **row} for row in rows], schema=full)


@pytest.fixture
def city(migrated_sqlite: Path, tmp_path: Path) -> Iterator[City]:
    engine = open_database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'onrecord.db')}")
    yield City(engine, tmp_path / "mart.duckdb")
    engine.dispose()


def test_a_record_is_due_on_the_day_its_period_ends_and_not_before(city: City) -> None:
    city.a_series("S", years=1)
    city.rule("S")
    city.post("a", "2025-03-10 23:59:59")
    assert city.statuses("2026-03-09") == {"a": "keep"}
    assert city.statuses("2026-03-10") == {"a": "due"}


@pytest.mark.parametrize(
    ("published", "period", "expires"),
    [
        ("2024-02-29", {"years": 1}, "2025-02-28"),
        ("2024-02-29", {"years": 4}, "2028-02-29"),
        ("2023-02-28", {"years": 1}, "2024-02-28"),
        ("2025-01-31", {"months": 1}, "2025-02-28"),
        ("2025-12-31", {"years": 1, "months": 2}, "2027-02-28"),
        ("2024-12-02", {"days": 90}, "2025-03-02"),
        ("2023-12-02", {"days": 90}, "2024-03-01"),
    ],
)
def test_periods_run_by_the_calendar(city: City, published: str, period: dict[str, int], expires: str) -> None:
    city.a_series("S", **period)  # type: ignore[arg-type]
    city.rule("S")
    city.post("a", published)
    row = city.rows("2030-01-01")["a"]
    assert (row["triggered_on"], row["expires_on"]) == (date.fromisoformat(published), date.fromisoformat(expires))


def test_a_day_is_a_day_of_utc_whatever_the_machine_thinks(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Chicago")
    city.a_series("S", days=1)
    city.rule("S")
    city.post("a", "2025-03-10 01:00")
    assert city.rows("2025-03-11")["a"]["triggered_on"] == date(2025, 3, 10)


def test_a_permanent_record_is_never_due(city: City) -> None:
    city.a_series("P", permanent=True)
    city.rule("P")
    city.post("a", "1999-01-01")
    row = city.rows("2999-01-01")["a"]
    assert (row["status"], row["expires_on"]) == ("permanent", None)


def test_a_record_that_no_rule_matches_has_no_series_and_is_never_due(city: City) -> None:
    city.a_series("S", days=1)
    city.rule("S", kind=("comment",))
    city.post("a", "1999-01-01")
    row = city.rows("2999-01-01")["a"]
    assert (row["status"], row["series"], row["rule"]) == ("no_series", None, None)


def test_a_record_without_a_date_is_kept(city: City) -> None:
    city.a_series("S", days=1)
    city.rule("S")
    city.post("a", None)
    assert city.statuses("2999-01-01") == {"a": "keep"}


def test_a_period_that_runs_from_an_event_waits_for_it(city: City) -> None:
    city.a_series("C", trigger="closed", years=1)
    city.rule("C")
    city.post("a", "1999-01-01")
    city.post("b", "1999-01-01")
    retention_events.note(city.engine, RetentionEvent("a", "closed", date(2024, 2, 29), "clerk", NOON, "answered"))
    retention_events.note(
        city.engine, RetentionEvent("b", "superseded", date(2020, 1, 1), "clerk", NOON, "not this one")
    )
    assert city.statuses("2025-02-27") == {"a": "keep", "b": "keep"}
    rows = city.rows("2025-02-28")
    assert (rows["a"]["status"], rows["b"]["status"], rows["b"]["expires_on"]) == ("due", "keep", None)


def test_the_first_rule_that_matches_counts(city: City) -> None:
    for code in ("A", "B", "C"):
        city.a_series(code, years=1)
    city.rule("A", text=r"\bflood\b")
    city.rule("B", account=("city-hall",))
    city.rule("C")
    city.post("flood", "2025-01-01", "A FLOOD warning")
    city.post("floodlight", "2025-01-01", "Floodlights repaired")
    city.post("ward", "2025-01-01", account_id=WARD)
    assert {name: (row["series"], row["rule"]) for name, row in city.rows("2025-01-02").items()} == {
        "flood": ("A", "rule 1"),
        "floodlight": ("B", "rule 2"),
        "ward": ("C", "rule 3"),
    }


@pytest.mark.parametrize(
    ("when", "matched"),
    [
        ({"account": ("ward-3",)}, {"ward"}),
        ({"department": ("Parks", "Transit")}, {"hall", "titled", "answer", "citizen"}),
        ({"office": ("Ward 3",)}, {"ward"}),
        ({"platform": ("mastodon",)}, {"ward"}),
        ({"kind": ("comment",)}, {"answer", "citizen"}),
        ({"author": "public"}, {"citizen"}),
        ({"author": "account", "kind": ("comment",)}, {"answer"}),
        ({"text": "festival"}, {"titled", "citizen"}),
        ({"text": "^festival"}, {"titled"}),
        ({"text": "festival", "author": "public"}, {"citizen"}),
        ({}, {"hall", "titled", "ward", "answer", "citizen"}),
    ],
)
def test_every_field_of_a_rule_must_match(city: City, when: dict[str, Any], matched: set[str]) -> None:
    city.a_series("S", years=1)
    city.rule("S", **when)
    city.post("hall", "2025-01-01")
    city.post("titled", "2025-01-01", "words", title="Festival of lights")
    city.post("ward", "2025-01-01", account_id=WARD, platform="mastodon")
    city.comment("answer", "2025-01-01", author_is_account=True)
    city.comment("citizen", "2025-01-01", "The festival?")
    assert {name for name, row in city.rows("2025-01-02").items() if row["series"] == "S"} == matched


def test_moderation_actions_and_profiles_have_series_too(city: City) -> None:
    city.a_series("M", trigger="closed", years=3)
    city.a_series("P", trigger="superseded", years=3)
    city.rule("M", kind=("moderation_action",))
    city.rule("P", kind=("profile",))
    city.records["moderation_actions"] = [{"record_id": "hide-1"}]
    city.records["profiles"] = [{"record_id": HALL}, {"record_id": HALL, "superseded_at": NOON}]
    rows = city.rows("2030-01-01")
    assert {name: (row["kind"], row["series"], row["status"]) for name, row in rows.items()} == {
        "hide-1": ("moderation_action", "M", "keep"),
        HALL: ("profile", "P", "keep"),
    }


def test_only_the_latest_version_of_a_record_is_judged(city: City) -> None:
    city.a_series("S", days=1)
    city.rule("S", text="draft")
    city.post("a", "2025-01-01", "draft", superseded_at=NOON)
    city.post("a", "2025-01-01", "final", version=2)
    assert city.statuses("2026-01-01") == {"a": "no_series"}


def test_an_accounts_own_series_covers_its_own_words_only(city: City) -> None:
    city.account_series = "S"
    city.a_series("S", days=1)
    city.post("own", "2025-01-01")
    city.comment("citizen", "2025-01-01")
    assert city.statuses("2026-01-01") == {"own": "due", "citizen": "no_series"}


def test_a_hold_beats_everything_until_it_is_released(city: City) -> None:
    city.a_series("S", days=1)
    city.a_series("P", permanent=True)
    city.rule("P", text="forever")
    city.rule("S", kind=("post",))
    city.post("a", "2020-01-01")
    city.post("forever", "2020-01-01", "forever")
    city.comment("none", "2020-01-01")
    holds.place(city.engine, "H-1", reason="lawsuit", scope=Scope(everything=True), by="clerk", at=NOON)
    holds.place(city.engine, "H-2", reason="audit", scope=Scope(record_ids=["a"]), by="clerk", at=NOON)
    rows = city.rows("2026-03-01")
    assert {row["status"] for row in rows.values()} == {"held"}
    assert (rows["a"]["held_by"], rows["none"]["held_by"]) == (["H-1", "H-2"], ["H-1"])
    for name in ("H-1", "H-2"):
        holds.release(city.engine, name, by="clerk", at=NOON, reason="settled")
    assert city.statuses("2026-03-01") == {"a": "due", "forever": "permanent", "none": "no_series"}


def test_a_hold_counts_from_the_day_it_was_placed(city: City) -> None:
    city.a_series("S", days=1)
    city.rule("S")
    city.post("a", "2020-01-01")
    holds.place(city.engine, "H", reason="lawsuit", scope=Scope(everything=True), by="clerk", at=NOON)
    assert city.statuses("2026-02-28") == {"a": "due"}
    assert city.statuses("2026-03-01") == {"a": "held"}


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (Scope(account_ids=[WARD]), {"ward"}),
        (Scope(kinds=["comment"]), {"citizen"}),
        (Scope(text="pothole"), {"hall", "citizen"}),
        (Scope(text="pothole", kinds=["post"]), {"hall"}),
        (Scope(published_from=datetime(2021, 1, 1, tzinfo=UTC)), {"ward", "citizen", "undated"}),
        (Scope(published_until=datetime(2021, 1, 1, tzinfo=UTC)), {"hall", "undated"}),
        (Scope(query="SELECT record_id FROM current_posts WHERE text ILIKE '%pothole%'"), {"hall"}),
        (Scope(query="SELECT 'citizen' AS record_id", account_ids=[WARD]), set()),
    ],
)
def test_a_hold_covers_what_matches_all_parts_of_its_scope(city: City, scope: Scope, held: set[str]) -> None:
    city.post("hall", "2020-01-01", "A Pothole")
    city.post("ward", "2021-01-01", account_id=WARD)
    city.post("undated", None)
    city.comment("citizen", "2022-01-01", "pothole!")
    holds.place(city.engine, "H", reason="lawsuit", scope=scope, by="clerk", at=NOON)
    assert {name for name, status in city.statuses("2026-03-01").items() if status == "held"} == held


@pytest.mark.parametrize("sql", ["SELECT nonsense", "SELECT 1 AS other", "DROP TABLE posts"])
def test_a_hold_whose_query_fails_stops_the_audit(city: City, sql: str) -> None:
    holds.place(city.engine, "H-9", reason="lawsuit", scope=Scope(query=sql), by="clerk", at=NOON)
    with pytest.raises(HoldRefused, match="the query of hold H-9 fails, so nothing can be called due"):
        city.audit("2026-03-01")


def test_the_summary_counts_every_record_once(city: City) -> None:
    city.a_series("A", years=1)
    city.a_series("B", trigger="closed", years=1)
    city.a_series("C", permanent=True)
    city.rule("A", kind=("post",))
    city.rule("B", text="complaint")
    city.post("old", "2020-01-01")
    city.post("older", "2019-05-01")
    city.post("new", "2026-01-01")
    city.post("held", "2020-01-01", account_id=WARD)
    city.comment("waits", "2020-01-01", "complaint")
    city.comment("none", "2020-01-01")
    holds.place(city.engine, "H", reason="lawsuit", scope=Scope(account_ids=[WARD]), by="clerk", at=NOON)
    with city.audit("2026-03-01") as result:
        a, b, c, none = result.summary
        due = result.rows("due").read_all()
        of_b = result.rows(series="B").read_all()
    assert (a.records, a.keep, a.due, a.held, a.held_past_expiry) == (4, 1, 2, 1, 1)
    assert (a.due_since, a.next_due) == (date(2020, 5, 1), date(2027, 1, 1))
    assert (b.series, b.records, b.keep, b.not_triggered) == ("B", 1, 1, 1)
    assert (c.series, c.records) == ("C", 0)
    assert (none.series, none.records, none.no_series) == (None, 1, 1)
    assert due.column("record_id").to_pylist() == ["older", "old"]
    assert of_b.column("record_id").to_pylist() == ["waits"]


def test_the_mart_is_left_as_it_is_and_can_be_read_meanwhile(city: City) -> None:
    city.post("a", "2020-01-01")
    with city.audit("2026-03-01"), duckdb.connect(str(city.file), read_only=True) as reader:
        assert reader.execute("SELECT count(*) FROM posts").fetchone() == (1,)
        names = {name for (name,) in reader.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert not {name for name in names if name.startswith(("audit_", "retention_"))}


def test_a_mart_without_rules_or_no_mart_at_all_is_told(city: City, tmp_path: Path) -> None:
    city.audit("2026-03-01").close()
    with pytest.raises(MartIncomplete, match="no table retention_series: build it again"):
        retention.audit(city.file, date(2026, 3, 1))
    with pytest.raises(NoMart, match="onrecord mart build"):
        retention.audit(tmp_path / "none.duckdb", date(2026, 3, 1))


def test_many_records_are_streamed(city: City) -> None:
    city.a_series("S", years=1)
    city.rule("S")
    city.post("a", "2020-01-01")
    city._build()
    with duckdb.connect(str(city.file)) as connection:
        connection.execute(
            "INSERT INTO posts SELECT posts.* REPLACE (record_id || n AS record_id) FROM posts, range(120000) AS r(n)"
        )
    policy = Retention(
        sample=True,
        title="t",
        version="1",
        effective=date(2026, 1, 1),
        authority="t",
        series=tuple(city.series),
        rules=tuple(city.rules),
    )
    with retention.audit(city.file, date(2026, 3, 1), tables=retention_tables(city.engine, policy)) as result:
        sizes = [batch.num_rows for batch in result.rows()]
    assert sum(sizes) == 120_001
    assert len(sizes) > 2
