"""What one look showed, before it is compared with earlier looks.

The normalizers fill a :class:`Batch`; ``transforms.history`` compares it with the last known versions. A row of an ``OBSERVED_*``
schema shows content; a row of ``MARKS`` says that a direct read found none; a row of ``GATES`` is the complete list of what
is hidden in a thread at that time.

Rows lie in the order of the pages, then of the items. What a comparison must know:

- Columns outside ``content_sha256`` may be null in one look and filled in another of the same content: a raw Bluesky
  record names no handle, the view of it does. The fuller one is the better row.
- ``state_basis = EDIT_HISTORY``: an earlier version as the platform tells it afterwards (Mastodon), oldest first and after the rows
  of what is shown now. It is not what could be seen at ``seen_at``; ``platform_edited_at`` is when it began, null for the version
  first published.
- A mark that rests on the public view (``state_basis`` begins with ``view:``) beats the raw record seen in the same capture: what the
  platform took down may still lie on the author's server.
- A hide from a thread gate is the moderation action ``hide_id(record_id)`` of the hidden reply.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from transforms.records import CONTENT, MEDIA, METRICS, MODERATION_ACTIONS, PROFILES, QUARANTINE, TEXTS, UTC, column

_HISTORY_ONLY = frozenset({"version", "change", "seen_before", "seen_after"})
_SEEN_AT = column("seen_at", UTC, "When the platform sent it.", required=True)
ORIGIN = ("capture_id", "evidence_key", "evidence_offset", "payload_sha256", "normalizer_version")
"""The columns that lead from a row back to its bytes."""


def _observed(table: pa.Schema) -> pa.Schema:
    """The table's schema without what only a comparison can tell, with ``seen_at`` at the end."""
    return pa.schema([*(kept for kept in table if kept.name not in _HISTORY_ONLY), _SEEN_AT])


OBSERVED_CONTENT = _observed(CONTENT)
OBSERVED_MODERATION = _observed(MODERATION_ACTIONS)
OBSERVED_PROFILES = _observed(PROFILES)

EDIT_HISTORY = "edit_history"
"""``state_basis`` of an earlier version told by the platform."""


def hide_id(record_id: str) -> str:
    """``record_id`` of the moderation action that hides a record: ``platform:hide/native-id``."""
    platform, _, native_id = record_id.partition(":")
    return f"{platform}:hide/{native_id}"


_ORIGIN_FIELDS = [CONTENT.field(name) for name in ORIGIN]

MARKS = pa.schema(
    [
        column("record_id", pa.string(), "The record that was read directly.", required=True),
        column("account_id", pa.string(), "The City-supported account it belongs to.", required=True),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("kind", pa.string(), "post, comment, moderation_action or profile; null: not told by the answer."),
        column("state", pa.string(), "deleted or unavailable.", required=True),
        column("state_basis", pa.string(), "The answer this rests on.", required=True),
        *_ORIGIN_FIELDS,
        _SEEN_AT,
    ]
)
"""Looks that showed no content: the platform's answer to a direct read says that the record is gone."""

GATES = pa.schema(
    [
        column("root_id", pa.string(), "record_id of the post that begins the thread.", required=True),
        column("account_id", pa.string(), "The City-supported account whose thread it is.", required=True),
        column("platform", pa.string(), "bluesky.", required=True),
        column(
            "hidden_ids", TEXTS, "record_id of every reply hidden in the thread; empty where none is.", required=True
        ),
        *_ORIGIN_FIELDS,
        _SEEN_AT,
    ]
)
"""Complete lists: a reply of the thread that is not in ``hidden_ids`` was not hidden at ``seen_at``."""

SCHEMAS: dict[str, pa.Schema] = {
    "posts": OBSERVED_CONTENT,
    "comments": OBSERVED_CONTENT,
    "moderation_actions": OBSERVED_MODERATION,
    "profiles": OBSERVED_PROFILES,
    "media": MEDIA,
    "metrics": METRICS,
    "quarantine": QUARANTINE,
    "marks": MARKS,
    "gates": GATES,
}
"""Field of :class:`Batch` -> schema."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All that some pages show. Rows lie in the order of the pages, then of the items within a page."""

    posts: pa.Table
    comments: pa.Table
    moderation_actions: pa.Table
    profiles: pa.Table
    media: pa.Table
    metrics: pa.Table
    quarantine: pa.Table
    marks: pa.Table
    gates: pa.Table
    skipped: dict[str, int] = field(default_factory=dict)
    """Items left out on purpose: reason code -> count."""
    items: int = 0
    """Items the pages held. Each ended as one counted thing: see ``ended``."""
    ended: dict[str, int] = field(default_factory=dict)
    """Where the items went: row, mark, gate, quarantine, skipped -> count. Its sum equals ``items``."""
