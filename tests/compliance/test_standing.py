from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from compliance import accounts
from compliance.standing import Standing, standings
from warehouse import ledger

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def library(engine: Engine) -> Engine:
    """The database with one approved account, and one that is only proposed."""
    for name in ("library", "personal"):
        accounts.add_proposed(
            engine,
            name=name,
            platform="mastodon",
            native_id=f"{name}.example/1",
            handle=name,
            service="x",
            by="clerk",
            at=NOW,
        )
    accounts.approve(engine, "library", by="clerk", at=NOW + MINUTE, reason="ours")
    return engine


def look(engine: Engine, minute: int, outcome: str, *, resource: str = "posts", message: str | None = None) -> str:
    at = NOW + minute * MINUTE
    begun = ledger.begin_capture(
        engine,
        capture_id=f"{at:%Y%m%dT%H%M%S%f}-{resource}",
        account_id="mastodon:library.example/1",
        platform="mastodon",
        resource=resource,
        started_at=at,
        software="test",
    )
    if outcome != "running":
        ledger.end_capture(engine, begun.capture_id, ended_at=at + MINUTE / 2, outcome=outcome, message=message)
    return begun.capture_id


def only(engine: Engine) -> Standing:
    (one,) = standings(engine)
    return one


def test_only_accounts_that_may_be_captured_are_watched_from_their_approval_on(library: Engine) -> None:
    one = only(library)
    assert (one.account.name, one.since, one.looks, one.gaps) == ("library", NOW + MINUTE, (), ())


def test_a_running_look_leaves_standing_what_the_last_told_and_when_the_last_completed(library: Engine) -> None:
    look(library, 5, "complete")
    rejected = look(library, 20, "credential_rejected", message="dead")
    look(library, 35, "unreachable")
    look(library, 50, "running")
    look(library, 51, "complete", resource="profile")
    one = only(library)
    posts = one.look("posts")
    assert posts is not None
    assert (posts.outcome, posts.told, posts.told_by, posts.message) == (
        "running",
        "credential_rejected",
        rejected,
        "dead",
    )
    assert posts.completed_at == NOW + 5.5 * MINUTE
    assert posts.progressed_at == NOW + 50 * MINUTE
    assert [gap.cause for gap in one.gaps] == ["credential_rejected"]
    profile = one.look("profile")
    assert profile is not None
    assert (profile.outcome, profile.told) == ("complete", "complete")
    assert one.look("comments") is None


def test_a_first_look_that_runs_has_told_nothing(library: Engine) -> None:
    look(library, 5, "running")
    posts = only(library).look("posts")
    assert posts is not None
    assert (posts.told, posts.completed_at, posts.message) == (None, None, None)
