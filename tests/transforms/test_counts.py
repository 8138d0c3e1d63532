"""Counters of every platform: they never make a version, and only values that changed are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from archived_pages import SEEN_AT, archived, show

from transforms.history import NoPast, changes, workbench
from transforms.page import ArchivedPage

DID = "did:plc:cityofexample00000000001"
URI = f"at://{DID}/app.bsky.feed.post/3kaaaaaaaaa2a"
CITY = {"id": "1", "acct": "city", "display_name": "City of Example"}


def bluesky(number: int, **look: Any) -> list[ArchivedPage]:
    record = {"$type": "app.bsky.feed.post", "text": "Snow", "createdAt": "2026-01-10T09:30:00.000Z"}
    view = {
        "uri": URI, "cid": "c", "author": {"did": DID, "handle": "city.example"}, "record": record, "indexedAt": "2026-01-10T09:30:01Z",
        "likeCount": number, "repostCount": number, "replyCount": 1, "quoteCount": number,
    }  # fmt: skip
    return [
        archived("bluesky", "post_records", {"records": [{"uri": URI, "cid": "c", "value": record}]}, **look),
        archived("bluesky", "post_views", {"posts": [view]}, **look),
    ]


def mastodon(number: int, **look: Any) -> list[ArchivedPage]:
    poll = {"options": [{"title": "Yes", "votes_count": number}], "votes_count": number, "voters_count": number}
    status = {
        "id": "101", "account": {**CITY, "followers_count": number, "statuses_count": number}, "content": "<p>Snow</p>", "visibility": "public",
        "created_at": "2026-01-10T09:30:00.000Z", "favourites_count": number, "reblogs_count": number, "replies_count": 1, "poll": poll,
    }  # fmt: skip
    return [archived("mastodon", "account_statuses", [status], **look)]


def wordpress(number: int, **look: Any) -> list[ArchivedPage]:
    post = {
        "id": 11, "date_gmt": "2026-01-10T09:30:00", "modified_gmt": "2026-01-10T09:30:00", "status": "publish", "title": {"rendered": "Snow"},
        "content": {"rendered": "<p>Plows are out.</p>", "protected": False}, "author": 2, "comment_count": number, "jetpack_likes_count": number,
    }  # fmt: skip
    return [archived("wordpress", "posts", [post], **look)]


@pytest.mark.parametrize(
    ("platform", "kept"),
    [
        (
            bluesky,
            {("likes", 5), ("likes", 8), ("shares", 5), ("shares", 8), ("quotes", 5), ("quotes", 8), ("replies", 1)},
        ),
        (mastodon, {("likes", 5), ("likes", 8), ("shares", 5), ("shares", 8), ("replies", 1)}),
        (wordpress, set()),
    ],
)
def test_counters_make_no_version_and_only_changed_values_are_kept(
    platform: Callable[..., list[ArchivedPage]], kept: set[tuple[str, int]]
) -> None:
    pages = [
        page
        for hour, number in enumerate((5, 5, 8, 8))
        for page in platform(
            number,
            fetched_at=SEEN_AT + timedelta(hours=hour),
            capture_id=f"capture-{hour}",
            evidence_key=f"evidence/{hour}",
        )
    ]
    found = changes(show(*pages), NoPast(), workbench()).tables
    assert [(row["version"], row["change"]) for row in found["posts"].to_pylist()] == [(1, "first_seen")]
    assert found["sightings"].num_rows == 4
    counted = [(row["name"], row["value"]) for row in found["metrics"].to_pylist()]
    assert set(counted) == kept
    assert len(counted) == len(kept)
