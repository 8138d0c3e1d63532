"""Tables of the mart about what was looked at, what came of it, and what is missing: what they are and what their columns mean."""

from __future__ import annotations

import pyarrow as pa

from transforms.records import SIGHTINGS, UTC, column
from warehouse import duck

BUILDS = ("reply_counts", "capture_counts", "lifetimes", "account_days", "gap_counts")
"""Files in ``warehouse/sql/build`` that make them, in this order, from the other tables and the archive's sightings."""

NO_SIGHTINGS = (
    f"(SELECT {', '.join(f'NULL::{duck.sql_type(one.type)} AS {one.name}' for one in SIGHTINGS)} WHERE false)"
)
"""For a mart built from tables alone: it counts no looks."""

COMMENTS = {
    "capture_counts": "What every look showed, counted. The view capture_ledger shows it beside the look itself.",
    "look_differences": "Records that a look showed and no table holds, and versions that no look shows. Empty where all is well.",
    "reply_differences": "Posts and comments of which the platform counts other answers than are held.",
    "account_days": "How each account was covered on each day. The view coverage_by_day shows it with names.",
    "gap_counts": "What later looks brought of each gap. The view gap_recovery shows it beside the gap.",
    "lifetimes": "How long what was published while its account was watched was seen to live, in classes of ages: what the estimate of loss rests on.",
    "platform_resources": "What can be read on each platform, how a deletion shows there, and what is never told.",
}

CAPTURE_COUNTS = pa.schema(
    [
        column("capture_id", pa.string(), "The look."),
        column("records", pa.int64(), "Different records looked at."),
        column("looks", pa.int64(), "Looks at them: more than records where a record was looked at twice."),
        column("new", pa.int64(), "Records never seen before."),
        column("changed", pa.int64(), "Records that were edited, hidden, shown again or restored."),
        column("unchanged", pa.int64(), "Records that were as before."),
        column("gone", pa.int64(), "Records found deleted or unavailable."),
        column("absent", pa.int64(), "Asked for directly and not there, and never held before: nothing was lost."),
        column("quarantined", pa.int64(), "Items that could not be read."),
        column("skipped_items", pa.int64(), "Items left out on purpose, whatever the reason."),
        column("without_row", pa.int64(), "Records looked at that no table holds; see look_differences."),
        column("without_look", pa.int64(), "Versions said to be shown by this look, which did not look at them."),
    ]
)
LOOK_DIFFERENCES = pa.schema(
    [
        column("what", pa.string(), "look: looked at, but in no table. version: in a table, but not looked at."),
        column("account_id", pa.string(), "The account; null while the look is not in the table captures."),
        column("record_id", pa.string(), "The record."),
        column("capture_id", pa.string(), "The look."),
        column("counted", pa.int32(), "1 where the look showed it."),
        column("held", pa.int32(), "1 where a table holds it."),
        column(
            "reason",
            pa.string(),
            "content_never_shown: only named, as hidden or gone; null: nothing known explains it.",
        ),
    ]
)
REPLY_DIFFERENCES = pa.schema(
    [
        column("account_id", pa.string(), "The account whose thread it is."),
        column("kind", pa.string(), "post or comment."),
        column("record_id", pa.string(), "The post or comment that is answered."),
        column("published_at", UTC, "When it was published."),
        column("counted", pa.int64(), "Answers as the platform counts them."),
        column("held", pa.int64(), "Answers held that are present or hidden."),
        column("hidden", pa.int64(), "Of these, hidden ones: platforms may or may not count them."),
        column("gone", pa.int64(), "Answers held that are deleted or unavailable."),
        column("counted_at", UTC, "When the platform first told this count."),
    ]
)
ACCOUNT_DAYS = pa.schema(
    [
        column("account_id", pa.string(), "The account."),
        column("day", pa.date32(), "The day, UTC."),
        column("coverage", pa.string(), "complete, recovered, partial or missing."),
        column(
            "lacking", pa.string(), "What was not completely covered, and how it stands; null where everything was."
        ),
        column("captures", pa.int64(), "Looks at any resource that day."),
        column("complete_captures", pa.int64(), "Looks that completed."),
        column("gaps", pa.int64(), "Gaps that touch the day."),
        column("posts", pa.int64(), "Posts held that were published that day, deleted ones included."),
        column("comments", pa.int64(), "Comments held that were published that day, deleted ones included."),
        column("platform_replies", pa.int64(), "Answers the platform last counted on what was published that day."),
        column("replies", pa.int64(), "Answers held of these, present or hidden."),
        column("platform_posts", pa.int64(), "What the account wrote altogether, as the platform counted that day."),
        column("own_posts", pa.int64(), "The account's own posts and comments held that stood at the end of that day."),
    ]
)
GAP_COUNTS = pa.schema(
    [
        column("gap_id", pa.string(), "The gap."),
        column("closed_by", pa.string(), "The look that closed it; null while open."),
        column("records", pa.int64(), "Posts or comments published in it and first seen after it."),
        column("changes", pa.int64(), "Changes found by the look that closed it."),
    ]
)
LIFETIMES = pa.schema(
    [
        column("account_id", pa.string(), "The account."),
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ..."),
        column("kind", pa.string(), "post or comment."),
        column("entry_seconds", pa.float64(), "Age when first seen."),
        column("lower_seconds", pa.float64(), "Age when last seen standing."),
        column("upper_seconds", pa.float64(), "Age when first found gone; null while it stands."),
        column("items", pa.int64(), "How many were seen to live like this."),
    ]
)
PLATFORM_RESOURCES = pa.schema(
    [
        column("platform", pa.string(), "bluesky, mastodon, wordpress, ..."),
        column("resource", pa.string(), "profile, posts, comments or moderation."),
        column("again", pa.bool_(), "Whether it can be read again at any time."),
        column("deletion", pa.string(), "How a deletion shows."),
        column("reveals", pa.list_(pa.string()), "Kinds of moderation it reveals, as moderation_actions names them."),
        column("never", pa.string(), "What the platform never tells."),
    ]
)
"""Given to the build; without it, the table is empty."""

SCHEMAS = {
    "capture_counts": CAPTURE_COUNTS,
    "look_differences": LOOK_DIFFERENCES,
    "reply_differences": REPLY_DIFFERENCES,
    "account_days": ACCOUNT_DAYS,
    "gap_counts": GAP_COUNTS,
    "lifetimes": LIFETIMES,
    "platform_resources": PLATFORM_RESOURCES,
}
