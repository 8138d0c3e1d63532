"""An account's past is read slice by slice, and the archive does not claim what it has not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from compliance import accounts
from connectors.bluesky import posts as bluesky_posts
from connectors.mastodon import platform as mastodon
from connectors.wordpress import platform as wordpress
from pipeline.backfill import read_slice
from pipeline.capture import CaptureFailed, capture
from pipeline.planning import reach_due, steps_of
from pipeline.steps import credential_of, look_at, mart_from, normalize_all, places_of
from warehouse import backfills, gaps, ledger, looked

if TYPE_CHECKING:
    from pipeline.visit import Places
    from pipeline.workspace import Storage, Workspace
    from samplecity.server import City

NAMES = ("city-hall", "public-works", "news")


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages small enough that the sample city's accounts have several."""
    monkeypatch.setattr(bluesky_posts, "RECORDS_PER_CALL", 20)
    monkeypatch.setattr(mastodon, "PER_PAGE", 10)
    monkeypatch.setattr(wordpress, "PER_PAGE", 20)


def places(workspace: Workspace, storage: Storage) -> Places:
    return replace(places_of(workspace, storage), first_pages=1)


def contents(workspace: Workspace, storage: Storage) -> list[tuple[object, ...]]:
    normalize_all(workspace, storage)
    mart_from(workspace, storage)
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        return mart.execute(
            "SELECT record_id, version, state, content_sha256 FROM versions WHERE kind IN ('post', 'comment') ORDER BY ALL"
        ).fetchall()


def history_gaps(workspace: Workspace, account_id: str) -> list[bool]:
    """Whether each gap in the account's history is closed."""
    found = gaps.listing(workspace.engine, account_id=account_id)
    return [gap.closed_at is not None for gap in found if gap.resource == backfills.RESOURCE]


def open_gaps(workspace: Workspace, account_id: str) -> dict[str, str]:
    """Resource -> cause, what the platform never shows without a credential left out."""
    found = gaps.listing(workspace.engine, account_id=account_id, unclosed_only=True)
    return {gap.resource: gap.cause for gap in found if gap.cause != ledger.NOT_COVERED}


@pytest.mark.parametrize("name", NAMES)
def test_slices_to_the_beginning_hold_what_one_long_look_holds(
    workspace: Workspace, sample_city: City, name: str
) -> None:
    account = accounts.get(workspace.engine, name)
    with workspace.storage() as storage:
        where = places(workspace, storage)
        capture(where, account, credential_of(account))
        begun = backfills.get(workspace.engine, account.account_id)
        assert begun is not None
        assert begun.waiting
        assert history_gaps(workspace, account.account_id) == [False]
        part = contents(workspace, storage)
        asked = len(sample_city.requests)
        state = begun
        while state.waiting:
            before, state = state, read_slice(where, account, credential_of(account), pages=1)
            assert state.slices > before.slices
            assert state.reached_at is not None
            assert before.reached_at is None or state.reached_at <= before.reached_at
        assert len(sample_city.requests) > asked
        assert history_gaps(workspace, account.account_id) == [True]
        sliced = contents(workspace, storage)
        look_at(workspace, storage, account)
        whole = contents(workspace, storage)
    assert len(part) < len(sliced)
    assert sliced == whole


def test_a_backfill_counts_what_its_listings_showed_from_the_first_look_on(workspace: Workspace) -> None:
    account = accounts.get(workspace.engine, "news")
    with workspace.storage() as storage:
        where = places(workspace, storage)
        first = {look.resource: look for look in capture(where, account, credential_of(account))}
        state = backfills.get(workspace.engine, account.account_id)
        assert state is not None
        assert state.items == sum(first[name].items for name in state.listings)
        while state.waiting:
            state = read_slice(where, account, credential_of(account), pages=50)
    posts = state.listings["posts"]
    assert posts.total == first["posts"].platform_total
    assert posts.items >= (posts.total or 0) > first["posts"].items


def test_a_look_that_is_due_does_not_read_again_what_the_backfill_reads(workspace: Workspace) -> None:
    account = accounts.get(workspace.engine, "public-works")
    with workspace.storage() as storage:
        capture(places(workspace, storage), account, credential_of(account))
        state = backfills.get(workspace.engine, account.account_id)
        assert state is not None
        assert state.reached_at is not None
        read = workspace.clock() - state.reached_at
        deepest = max(step.age for step in steps_of(workspace.policy.revisit))
        assert reach_due(workspace, account) <= read < deepest
        look_at(workspace, storage, account, due_only=True)
        assert reach_due(workspace, account) == timedelta(), "the look served every step whose records were read"
        while state.waiting:
            state = read_slice(places(workspace, storage), account, credential_of(account), pages=50)
        assert reach_due(workspace, account) == deepest


def test_a_slice_that_is_cut_off_is_read_again_and_adds_nothing_twice(workspace: Workspace, sample_city: City) -> None:
    account = accounts.get(workspace.engine, "public-works")
    with workspace.storage() as storage:
        where = places(workspace, storage)
        capture(where, account, credential_of(account))
        before = backfills.get(workspace.engine, account.account_id)
        sample_city.faults({"fault": "server_error", "path": "/context", "skip": 1, "times": 0})
        with pytest.raises(CaptureFailed, match="context"):
            read_slice(where, account, credential_of(account), pages=2)
        assert backfills.get(workspace.engine, account.account_id) == before
        sample_city.faults()
        state = before
        while state is None or state.waiting:
            state = read_slice(where, account, credential_of(account), pages=2)
        sliced = contents(workspace, storage)
        look_at(workspace, storage, account)
        assert contents(workspace, storage) == sliced


def test_a_place_that_expired_starts_the_past_over_and_says_so(workspace: Workspace, sample_city: City) -> None:
    account = accounts.get(workspace.engine, "public-works")
    with workspace.storage() as storage:
        where = places(workspace, storage)
        capture(where, account, credential_of(account))
        sample_city.faults({"fault": "expired_cursor", "path": "/statuses", "times": 1})
        with pytest.raises(CaptureFailed) as problem:
            read_slice(where, account, credential_of(account), pages=2)
        assert problem.value.code == "cursor_expired"
        assert open_gaps(workspace, account.account_id) == {
            "history": backfills.CAUSE,
            "posts_history": "cursor_expired",
        }
        state = backfills.get(workspace.engine, account.account_id)
        while state is None or state.waiting:
            state = read_slice(where, account, credential_of(account), pages=2)
        assert open_gaps(workspace, account.account_id) == {}


def test_the_schedule_goes_on_while_the_past_is_read(workspace: Workspace) -> None:
    account = accounts.get(workspace.engine, "city-hall")
    with workspace.storage() as storage:
        where = places(workspace, storage)
        capture(where, account, credential_of(account))
        first = looked.last_complete(workspace.engine, account.account_id, "posts")
        assert first is not None
        assert first.since is not None, "it does not claim to have read to the beginning"
        read_slice(where, account, credential_of(account), pages=1)
        assert looked.last_complete(workspace.engine, account.account_id, "posts") == first
        looks = look_at(workspace, storage, account, due_only=True)
        assert {look.outcome for look in looks} == {"complete"}


def test_an_account_without_a_past_to_read_says_so(workspace: Workspace) -> None:
    account = accounts.get(workspace.engine, "city-hall")
    with workspace.storage() as storage:
        where = places_of(workspace, storage)
        with pytest.raises(LookupError, match="no backfill"):
            read_slice(where, account, None, pages=1)
