"""What a normalizer hands over, one value per row: the columns that differ from item to item.

The rest of a row (account, capture, evidence, time) is the same for a whole page and is added by :mod:`transforms.columns`.
Field names are column names of :mod:`transforms.observations`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """One file shown with a record."""

    media_id: str
    kind: str | None = None
    url: str | None = None
    alt: str | None = None
    mime: str | None = None


class Content(msgspec.Struct, gc=False):
    """A post or a comment as one look showed it."""

    record_id: str
    content_sha256: str
    payload_sha256: str
    state: str = "present"
    state_basis: str | None = None
    published_at: datetime | None = None
    platform_edited_at: datetime | None = None
    author_id: str | None = None
    author_handle: str | None = None
    author_name: str | None = None
    author_is_account: bool | None = None
    title: str | None = None
    text: str | None = None
    text_folded: str | None = None
    lang: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    url: str | None = None
    links: list[str] | None = None
    mentions: list[str] | None = None
    hashtags: list[str] | None = None
    attachments: list[Attachment] | None = None
    source_visibility: str | None = None


class Action(msgspec.Struct, gc=False, kw_only=True):
    """A moderation action in force."""

    record_id: str
    content_sha256: str
    payload_sha256: str
    action: str
    state: str = "present"
    state_basis: str | None = None
    subject_id: str | None = None
    actor_id: str | None = None
    reason: str | None = None
    acted_at: datetime | None = None


class Profile(msgspec.Struct, gc=False, kw_only=True):
    """The account's own page."""

    record_id: str
    content_sha256: str
    payload_sha256: str
    state: str = "present"
    state_basis: str | None = None
    handle: str | None = None
    name: str | None = None
    description: str | None = None
    url: str | None = None
    links: list[str] | None = None
    avatar_url: str | None = None


class Counts(msgspec.Struct, gc=False, kw_only=True):
    """All counts of a record in one look; they become one row each."""

    record_id: str
    likes: int | None = None
    shares: int | None = None
    replies: int | None = None
    views: int | None = None
    quotes: int | None = None


class Mark(msgspec.Struct, gc=False, kw_only=True):
    """A direct read that found no content."""

    record_id: str
    state: str
    state_basis: str
    payload_sha256: str
    kind: str | None = None


class Gate(msgspec.Struct, gc=False, kw_only=True):
    """All replies hidden in a thread."""

    root_id: str
    hidden_ids: list[str]
    payload_sha256: str


class Quarantined(msgspec.Struct, gc=False, kw_only=True):
    """An item that could not become a row, and why."""

    reason: str
    payload_sha256: str
    native_id: str | None = None
    detail: str | None = None
