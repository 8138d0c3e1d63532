"""The tables as Arrow schemas: one place for names, types and what each column means.

Every column carries its description as field metadata (``doc``); the mart turns it into ``COMMENT ON COLUMN`` and every production
into its data dictionary. All times are UTC with microseconds. Absent is null, never zero and never an empty text.
"""

from __future__ import annotations

import pyarrow as pa

UTC = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())
ATTACHMENTS = pa.list_(
    pa.struct(
        [
            pa.field("media_id", pa.string()),
            pa.field("kind", pa.string()),
            pa.field("url", pa.string()),
            pa.field("alt", pa.string()),
            pa.field("mime", pa.string()),
        ]
    )
)

CHANGES = ("first_seen", "edited", "hidden", "shown", "deleted", "restored", "unavailable")
STATES = ("present", "hidden", "deleted", "unavailable")


def column(name: str, kind: pa.DataType, doc: str, *, required: bool = False) -> pa.Field:
    """A column with its description."""
    return pa.field(name, kind, nullable=not required, metadata={"doc": doc})


_ORIGIN = [
    column("capture_id", pa.string(), "The look that showed this.", required=True),
    column("evidence_key", pa.string(), "Object in the evidence bucket that holds the exchange.", required=True),
    column("evidence_offset", pa.int64(), "Byte offset of the response's WARC record in that object.", required=True),
    column("payload_sha256", pa.string(), "SHA-256 of the item's bytes as the platform sent them.", required=True),
    column("normalizer_version", pa.string(), "Version of the code that made the row.", required=True),
]

CONTENT = pa.schema(
    [
        column("record_id", pa.string(), "platform:native-id; the same for all versions of a record.", required=True),
        column(
            "account_id",
            pa.string(),
            "The City-supported account it belongs to (its own post, or a comment in its threads).",
            required=True,
        ),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("version", pa.int32(), "1 for the first state seen, then counting.", required=True),
        column(
            "change", pa.string(), "first_seen, edited, hidden, shown, deleted, restored or unavailable.", required=True
        ),
        column(
            "state", pa.string(), "What the public could see: present, hidden, deleted or unavailable.", required=True
        ),
        column("state_basis", pa.string(), "What the state rests on, such as the answer to a direct read."),
        column("published_at", UTC, "When it was published, as the platform says."),
        column("platform_edited_at", UTC, "When it was last edited, as the platform says."),
        column("seen_before", UTC, "Last time the state before this one was seen; null for the first version."),
        column("seen_after", UTC, "First time this state was seen. The change lies between the two.", required=True),
        column("author_id", pa.string(), "The author's immutable id on the platform."),
        column("author_handle", pa.string(), "The author's handle at that time."),
        column("author_name", pa.string(), "The author's display name at that time."),
        column("author_is_account", pa.bool_(), "Whether the City's own account wrote it."),
        column("title", pa.string(), "Title, where the platform has one."),
        column("text", pa.string(), "The text as plain text."),
        column(
            "text_folded", pa.string(), "The text without case and accents, for search; null where equal to the text."
        ),
        column("lang", pa.string(), "Language as the platform or author states it (BCP 47)."),
        column("parent_id", pa.string(), "record_id of what it answers."),
        column("root_id", pa.string(), "record_id of the post that begins the thread."),
        column("url", pa.string(), "Public address."),
        column("links", TEXTS, "Addresses linked in it."),
        column("mentions", TEXTS, "Accounts mentioned in it."),
        column("hashtags", TEXTS, "Hashtags in it, without the sign."),
        column("attachments", ATTACHMENTS, "Media attached to it."),
        column("source_visibility", pa.string(), "The platform's own word: public, unlisted, hold, spam, ..."),
        column(
            "content_sha256",
            pa.string(),
            "SHA-256 over what makes a version: text, title, attachments, links, visibility.",
            required=True,
        ),
        *_ORIGIN,
    ]
)
"""``posts`` and ``comments``: one row per version."""

POSTS = CONTENT
COMMENTS = CONTENT

MODERATION_ACTIONS = pa.schema(
    [
        column(
            "record_id", pa.string(), "platform:native-id of the action, or of its subject and kind.", required=True
        ),
        column(
            "account_id",
            pa.string(),
            "The City-supported account that acted, or about which, or in whose threads, the platform did.",
            required=True,
        ),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("version", pa.int32(), "1 for the first state seen, then counting.", required=True),
        column(
            "change", pa.string(), "first_seen, edited, deleted (the action was undone) or restored.", required=True
        ),
        column("state", pa.string(), "present while the action is in force, deleted once undone.", required=True),
        column("state_basis", pa.string(), "What the state rests on."),
        column(
            "action",
            pa.string(),
            "hide, block, block_list, mute, domain_block, filter, reply_gate, quote_gate, detach_quote, comments_closed, hold, spam, trash;"
            " of the platform: label, takedown.",
            required=True,
        ),
        column("subject_id", pa.string(), "record_id of what, or platform:id of whom, it acts on."),
        column("actor_id", pa.string(), "Who acted, where the platform tells."),
        column("reason", pa.string(), "The reason, where the platform tells."),
        column("acted_at", UTC, "When, as the platform says; null where it does not."),
        column(
            "seen_before",
            UTC,
            "Last time the state before this one was seen; of the first version: that it was not in force, null where no look told.",
        ),
        column("seen_after", UTC, "First time this state was seen.", required=True),
        column("content_sha256", pa.string(), "SHA-256 over what makes a version.", required=True),
        *_ORIGIN,
    ]
)

PROFILES = pa.schema(
    [
        column("record_id", pa.string(), "platform:native-id of the account.", required=True),
        column("account_id", pa.string(), "The City-supported account.", required=True),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("version", pa.int32(), "1 for the first state seen, then counting.", required=True),
        column("change", pa.string(), "first_seen, edited, deleted or restored.", required=True),
        column("state", pa.string(), "present, deleted or unavailable.", required=True),
        column("state_basis", pa.string(), "What the state rests on."),
        column("handle", pa.string(), "Handle at that time."),
        column("name", pa.string(), "Display name at that time."),
        column("description", pa.string(), "Profile text at that time, as plain text."),
        column("url", pa.string(), "Public address."),
        column("links", TEXTS, "Addresses given in the profile."),
        column("avatar_url", pa.string(), "Address of the profile picture."),
        column("seen_before", UTC, "Last time the state before this one was seen; null for the first version."),
        column("seen_after", UTC, "First time this state was seen.", required=True),
        column("content_sha256", pa.string(), "SHA-256 over what makes a version.", required=True),
        *_ORIGIN,
    ]
)

SIGHTINGS = pa.schema(
    [
        column("record_id", pa.string(), "The record looked at.", required=True),
        column("kind", pa.string(), "post, comment, moderation_action or profile.", required=True),
        column("seen_at", UTC, "When it was looked at.", required=True),
        column("state", pa.string(), "What that look showed.", required=True),
        column("content_sha256", pa.string(), "Which content that look showed; null where it showed none."),
        column("capture_id", pa.string(), "The look.", required=True),
        column("evidence_key", pa.string(), "Object in the evidence bucket.", required=True),
        column("evidence_offset", pa.int64(), "Byte offset of the WARC record.", required=True),
    ]
)
"""Every look at every record, changed or not: what ``seen_before`` rests on, and what makes any order of work give the same versions."""

MEDIA = pa.schema(
    [
        column("media_id", pa.string(), "platform:native-id of the file.", required=True),
        column("record_id", pa.string(), "The record that shows it.", required=True),
        column("account_id", pa.string(), "The City-supported account.", required=True),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("kind", pa.string(), "image, video, audio or file."),
        column("url", pa.string(), "Address on the platform."),
        column("alt", pa.string(), "Description the author gave."),
        column("mime", pa.string(), "Media type as the platform says."),
        column("seen_after", UTC, "First time it was seen.", required=True),
        *_ORIGIN,
    ]
)

METRICS = pa.schema(
    [
        column("record_id", pa.string(), "The record counted.", required=True),
        column("name", pa.string(), "likes, shares, replies, views, quotes.", required=True),
        column("value", pa.int64(), "The count as the platform says.", required=True),
        column("seen_at", UTC, "When it said so. Only changed values are kept.", required=True),
        column("capture_id", pa.string(), "The look.", required=True),
    ]
)

CAPTURES = pa.schema(
    [
        column("capture_id", pa.string(), "One look at one resource of one account.", required=True),
        column("account_id", pa.string(), "The account.", required=True),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("resource", pa.string(), "profile, posts, comments or moderation.", required=True),
        column("started_at", UTC, "Begin.", required=True),
        column("ended_at", UTC, "End."),
        column("since", UTC, "Publication time down to which was read; null: to the beginning."),
        column("pages", pa.int64(), "Exchanges kept.", required=True),
        column("items", pa.int64(), "Items the pages showed.", required=True),
        column("platform_total", pa.int64(), "The platform's own count of the listing, where it gives one."),
        column("skipped", pa.string(), "Left out on purpose: JSON object, reason code to count."),
        column("outcome", pa.string(), "complete, or the code of what went wrong.", required=True),
        column("message", pa.string(), "What went wrong, in a sentence."),
        column("software", pa.string(), "Version of the program.", required=True),
    ]
)

GAPS = pa.schema(
    [
        column("gap_id", pa.string(), "One interval of a resource that was not covered.", required=True),
        column("account_id", pa.string(), "The account.", required=True),
        column("resource", pa.string(), "The resource.", required=True),
        column("cause", pa.string(), "Outcome code of the capture that failed.", required=True),
        column("opened_at", UTC, "Begin of the last look that succeeded before, or of the account.", required=True),
        column("closed_at", UTC, "Begin of the first look that succeeded after; null while open."),
        column("capture_id", pa.string(), "The capture that failed.", required=True),
    ]
)

QUARANTINE = pa.schema(
    [
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ...", required=True),
        column("account_id", pa.string(), "The account.", required=True),
        column("call", pa.string(), "The connector's name of the endpoint.", required=True),
        column("native_id", pa.string(), "The item's id where it could be read."),
        column("reason", pa.string(), "Stable code of what is wrong.", required=True),
        column("detail", pa.string(), "Where and what, without the item's content."),
        column("seen_at", UTC, "When the platform sent it.", required=True),
        *_ORIGIN,
    ]
)

EVIDENCE = pa.schema(
    [
        column("evidence_key", pa.string(), "Object in the evidence bucket.", required=True),
        column("capture_id", pa.string(), "The look whose exchanges it holds.", required=True),
        column("account_id", pa.string(), "The account.", required=True),
        column("part", pa.int32(), "1 for the first object of the capture, then counting.", required=True),
        column("sha256", pa.string(), "SHA-256 of the object.", required=True),
        column("bytes", pa.int64(), "Size of the object.", required=True),
        column("exchanges", pa.int64(), "Exchanges it holds.", required=True),
        column("written_at", UTC, "When it was locked.", required=True),
        column("version_id", pa.string(), "Version the bucket gave it."),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "posts": POSTS,
    "comments": COMMENTS,
    "moderation_actions": MODERATION_ACTIONS,
    "profiles": PROFILES,
    "sightings": SIGHTINGS,
    "media": MEDIA,
    "metrics": METRICS,
    "captures": CAPTURES,
    "gaps": GAPS,
    "quarantine": QUARANTINE,
    "evidence": EVIDENCE,
}
"""Name in the Iceberg namespace ``archive`` -> schema."""
