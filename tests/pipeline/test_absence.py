"""A listing that loses much at once makes nobody say that the records are gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from compliance import accounts
from pipeline.absence import CHECK_AFTER, is_suspicious
from pipeline.capture import CaptureFailed
from pipeline.steps import look_at, mart_from, normalize_all
from pipeline.workspace import Workspace
from warehouse import gaps, ledger

if TYPE_CHECKING:
    from pipeline.workspace import Storage
    from samplecity.server import City

LISTINGS = {
    "city-hall": r"listRecords.*feed\.post",
    "public-works": "/accounts/[0-9]+/statuses",
    "news": "/wp/v2/posts[?]",
}
DIRECT = {
    "city-hall": r"getRecord|getPosts\?uris=[^&]*$",
    "public-works": "/api/v1/statuses/[0-9]+$",
    "news": "/wp/v2/posts/[0-9]+",
}


def captured(workspace: Workspace, storage: Storage, name: str) -> str:
    """The outcome: complete, or the code of what failed."""
    try:
        look_at(workspace, storage, accounts.get(workspace.engine, name))
    except CaptureFailed as problem:
        return problem.code
    finally:
        normalize_all(workspace, storage)
    return "complete"


def open_causes(workspace: Workspace) -> set[str]:
    """Causes of open gaps; what the platform never shows without a credential is another matter."""
    return {gap.cause for gap in gaps.listing(workspace.engine, unclosed_only=True)} - {ledger.NOT_COVERED}


def gone(workspace: Workspace, storage: Storage) -> int:
    """Version rows that say a record is gone."""
    mart_from(workspace, storage)
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        found = mart.execute("SELECT count(*) FROM versions WHERE change IN ('deleted', 'unavailable')").fetchone()
    assert found
    return int(found[0])


@pytest.mark.parametrize(
    ("missing", "known", "expected"),
    [(2, 2, False), (3, 3, True), (10, 11, False), (11, 12, True), (20, 100, False), (21, 100, True)],
)
def test_much_at_once_is_suspicious_little_never(missing: int, known: int, *, expected: bool) -> None:
    assert is_suspicious(missing, known) is expected


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_that_is_empty_for_a_moment_deletes_nothing(
    workspace: Workspace, sample_city: City, name: str
) -> None:
    with workspace.storage() as storage:
        assert captured(workspace, storage, name) == "complete"
        sample_city.faults({"fault": "nothing", "path": LISTINGS[name], "times": 1})
        assert captured(workspace, storage, name) == "complete"
        assert gone(workspace, storage) == 0


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_that_stays_empty_is_not_believed_until_it_is_seen_again_later(
    workspace: Workspace, sample_city: City, name: str
) -> None:
    with workspace.storage() as storage:
        assert captured(workspace, storage, name) == "complete"
        sample_city.faults({"fault": "nothing", "path": LISTINGS[name], "times": 0})
        assert captured(workspace, storage, name) == "suspicious_shrink"
        assert gone(workspace, storage) == 0
        assert "suspicious_shrink" in open_causes(workspace)
        later = Workspace(workspace.settings, clock=lambda: workspace.clock() + CHECK_AFTER + timedelta(minutes=1))
        assert captured(later, storage, name) == "complete"
        assert gone(workspace, storage) == 0, "the direct reads say that all are there"
        assert open_causes(workspace) == set()


def test_direct_reads_that_deny_what_the_listing_shows_are_not_believed(
    workspace: Workspace, sample_city: City
) -> None:
    with workspace.storage() as storage:
        assert captured(workspace, storage, "public-works") == "complete"
        sample_city.faults(
            {"fault": "nothing", "path": "statuses.*max_id", "times": 0},
            {"fault": "not_there", "path": DIRECT["public-works"], "times": 0},
        )
        assert captured(workspace, storage, "public-works") == "suspicious_shrink"
        assert gone(workspace, storage) == 0
        sample_city.faults()
        assert captured(workspace, storage, "public-works") == "complete"
        assert gone(workspace, storage) == 0
        assert open_causes(workspace) == set()


@pytest.mark.parametrize("times", [1, 2, 0], ids=["once", "twice", "always"])
def test_views_that_show_nothing_of_many_posts_take_none_of_them_from_view(
    workspace: Workspace, sample_city: City, times: int
) -> None:
    with workspace.storage() as storage:
        assert captured(workspace, storage, "city-hall") == "complete"
        sample_city.faults({"fault": "nothing", "path": "getPosts.*uris=.*uris=.*uris=", "skip": 1, "times": times})
        assert captured(workspace, storage, "city-hall") == "complete"
        assert gone(workspace, storage) == 0
