from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from small_city import ACCOUNT, ACCOUNTS, City, row

from compliance.mart_facts import Habit, MartFacts, SetAside, read_facts
from compliance.policy import load_policy
from warehouse import mart

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.bucket import Buckets

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = load_policy(ROOT / "policy").findings


@pytest.fixture
def facts(tmp_path: Path, buckets: Buckets) -> MartFacts:
    city = City()
    for name, account_id, gap in (("alder", ACCOUNT, DAY), ("quiet", "bluesky:did:plc:quiet", 10 * DAY)):
        posts = 30 if name == "alder" else 19
        for number in range(posts):
            values = {
                "record_id": f"{name}-{number}",
                "account_id": account_id,
                "platform": "bluesky",
                "state": "present",
            }
            published = {
                "published_at": NOW - 5 * DAY - number * gap,
                "author_is_account": True,
                "change": "first_seen",
            }
            city.rows["posts"].append(row("posts", **values, **published))
    a_lie = {"record_id": "from the future", "account_id": ACCOUNT, "author_is_account": True, "state": "present"}
    city.rows["posts"].append(row("posts", **a_lie, published_at=NOW + 99 * DAY))
    for version, handle in enumerate(("portalder.example", "newname.example"), start=1):
        values = {"record_id": ACCOUNT, "account_id": ACCOUNT, "platform": "bluesky", "state": "present"}
        seen = NOW - DAY / version
        city.rows["profiles"].append(row("profiles", **values, version=version, handle=handle, seen_after=seen))
    for hours in (1, 2, 3, 99):
        seen = {"seen_at": NOW - timedelta(hours=hours), "call": "getPosts", "reason": "not_an_object"}
        city.rows["quarantine"].append(row("quarantine", account_id=ACCOUNT, evidence_offset=hours, **seen))
    city.rows["captures"].append(
        row("captures", capture_id="c", account_id=ACCOUNT, started_at=NOW - timedelta(hours=1), items=80)
    )
    path = tmp_path / "mart.duckdb"
    mart.build(city.archive(tmp_path, buckets), path, extra={"accounts": ACCOUNTS}, clock=lambda: NOW)
    found = read_facts(path, TERMS, NOW)
    assert found is not None
    return found


def test_the_mart_tells_handles_habits_and_what_could_not_be_read(facts: MartFacts) -> None:
    assert facts.built_at == NOW
    assert facts.handles == {ACCOUNT: "newname.example"}
    assert facts.habits == {ACCOUNT: Habit(30, NOW - 5 * DAY, DAY)}, (
        "too few posts are no habit, a date to come is no post"
    )
    assert facts.set_aside == {ACCOUNT: SetAside(3, 80, "getPosts", "not_an_object")}


def test_without_a_mart_there_are_no_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path / "mart.duckdb", TERMS, NOW) is None
