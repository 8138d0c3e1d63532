"""What repositories hold: the shapes of records and of answers about them."""

from __future__ import annotations

from typing import Any

import msgspec

LIST_RECORDS = "/xrpc/com.atproto.repo.listRecords"
GET_RECORD = "/xrpc/com.atproto.repo.getRecord"
REPOSITORY = "/xrpc/com.atproto.sync.getRepoStatus"
GET_POSTS = "/xrpc/app.bsky.feed.getPosts"

POSTS = "app.bsky.feed.post"
RECORDS_PER_CALL = 100
THREAD_GATES = "app.bsky.feed.threadgate"
HIDE = "hide/"
"""A reply hidden by a thread gate is a moderation action whose id is this and the reply's at-URI."""
REFUSALS = (400, 404)
"""Statuses with which servers say that a record, or its whole repository, is not there."""


class Written(msgspec.Struct):
    """A record in its repository."""

    uri: str
    cid: str = ""
    value: dict[str, Any] = {}


class Records(msgspec.Struct):
    """An answer of ``com.atproto.repo.listRecords``."""

    records: list[Written]
    cursor: str | None = None


class PostHead(msgspec.Struct, frozen=True, rename="camel"):
    """The little that a listing needs of a post's record: the rest is passed over undecoded."""

    reply: Any = None
    created_at: Any = None


class WrittenPost(msgspec.Struct):
    """A post in its repository."""

    uri: str
    value: PostHead = PostHead()


class PostRecords(msgspec.Struct):
    """An answer of ``com.atproto.repo.listRecords`` about posts."""

    records: list[WrittenPost]
    cursor: str | None = None


class Answer(msgspec.Struct):
    """An answer of ``com.atproto.repo.getRecord`` or ``com.atproto.sync.getRepoStatus``, or its refusal."""

    uri: str | None = None
    value: dict[str, Any] = {}
    did: str | None = None
    active: bool | None = None
    status: str | None = None
    error: str | None = None
    message: str = ""


class Views(msgspec.Struct):
    """An answer of ``app.bsky.feed.getPosts``."""

    posts: list[dict[str, Any]]


class PostView(msgspec.Struct, rename="camel"):
    """The little that a listing needs of a ``postView``. Whatever a field holds, it must not cost the page."""

    uri: Any = None
    record: PostHead | list[Any] | str | float | bool | None = None
    reply_count: Any = None


class PostViews(msgspec.Struct):
    """An answer of ``app.bsky.feed.getPosts``, as much of it as a listing needs."""

    posts: list[PostView]
