"""Platforms whose clocks lie, whose listings are out of order, whose cursors expire: the archive misses nothing and says what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from compliance import accounts
from connectors.mastodon import platform as mastodon
from pipeline.capture import CaptureFailed
from pipeline.steps import look_at, normalize_all
from warehouse import gaps, ledger, looked

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City

NAME = "public-works"


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastodon, "PER_PAGE", 5)


def look(workspace: Workspace, storage: Storage, name: str = NAME) -> list[ledger.Capture]:
    looks = look_at(workspace, storage, accounts.get(workspace.engine, name), due_only=True)
    normalize_all(workspace, storage)
    return looks


def held(storage: Storage, record_id: str) -> list[str]:
    rows = storage.archive.scan("posts", ["version", "change", "account_id"], f"record_id = '{record_id}'").to_pylist()
    return [row["change"] for row in sorted(rows, key=lambda row: int(row["version"]))]


def posted(city: City, text: str, at: datetime, name: str = NAME) -> str:
    with city.desk.world.lock:
        return city.desk.world.post(name, text, at).record_id


def test_a_post_from_the_future_hides_nothing_that_comes_after_it(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        look(workspace, storage)
        future = posted(sample_city, "Happy new century.", workspace.clock() + timedelta(days=27_000))
        look(workspace, storage)
        assert held(storage, future) == ["first_seen"]
        for day in range(3):
            later = posted(sample_city, f"Notice {day}", workspace.clock())
            look(workspace, storage)
            assert held(storage, later) == ["first_seen"]
        assert held(storage, future) == ["first_seen"]


def test_a_listing_that_begins_with_the_past_is_read_on(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        look(workspace, storage)
        fresh = posted(sample_city, "Water main break on Mill Street.", workspace.clock())
        sample_city.faults({"fault": "lost_items", "path": "/statuses[?]limit", "times": 1})
        look(workspace, storage)
        sample_city.faults()
        look(workspace, storage)
        assert held(storage, fresh) == ["first_seen"]


def test_an_expired_cursor_leaves_a_gap_and_is_recovered(workspace: Workspace, sample_city: City) -> None:
    account = accounts.get(workspace.engine, NAME)
    with workspace.storage() as storage:
        sample_city.faults({"fault": "server_error", "path": "statuses.*max_id", "skip": 1, "times": 0})
        with pytest.raises(CaptureFailed):
            look_at(workspace, storage, account)
        cut = looked.latest(workspace.engine, account.account_id, "posts")
        assert cut is not None
        assert cut.checkpoint
        sample_city.faults({"fault": "expired_cursor", "path": "/statuses", "times": 1})
        looks = look_at(workspace, storage, account)
        assert {one.outcome for one in looks} <= {ledger.COMPLETE, ledger.NOT_COVERED}
        outcomes = [one.outcome for one in ledger.captures(workspace.engine, account_id=account.account_id)]
        assert "cursor_expired" in outcomes, "it is said, not silently begun anew"
        closed = [
            gap for gap in gaps.listing(workspace.engine, account_id=account.account_id) if gap.resource == "posts"
        ]
        assert [gap.closed_at is not None for gap in closed] == [True]
        normalize_all(workspace, storage)
        whole = storage.archive.scan("posts", ["record_id"], f"account_id = '{account.account_id}'")
    truth = sample_city.truth()["accounts"][NAME]["posts"]["0"]
    assert len(set(whole["record_id"].to_pylist())) == truth


def test_a_record_that_two_accounts_show_is_one_record(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        for name in ("city-hall", "ward-3"):
            look(workspace, storage, name)
            look(workspace, storage, name)
        for kind in ("posts", "comments"):
            rows = storage.archive.scan(kind, ["record_id", "version"]).to_pylist()
            versions = [(row["record_id"], row["version"]) for row in rows]
            assert len(versions) == len(set(versions))
    assert sample_city.requests
