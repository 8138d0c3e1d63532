-- example: SELECT account, record_id, seen_after, text_before, text_after FROM edits ORDER BY seen_after DESC
CREATE VIEW edits AS
SELECT
    kind,
    account,
    account_id,
    platform,
    record_id,
    version,
    change,
    author_handle,
    author_is_account,
    published_at,
    platform_edited_at,
    seen_before,
    seen_after,
    title_before,
    title AS title_after,
    text_before,
    text AS text_after,
    url,
    root_id,
    evidence_key,
    evidence_offset
FROM changes
WHERE
    version > 1
    AND (
        change = 'edited'
        OR text IS DISTINCT FROM text_before
        OR title IS DISTINCT FROM title_before
    );

COMMENT ON VIEW edits IS 'One row per edit of a post or comment: the text before and after, and the interval in which it happened.';
COMMENT ON COLUMN edits.version IS 'The version that the edit made.';
COMMENT ON COLUMN edits.change IS 'edited; another word where the same look also showed another state, such as restored.';
COMMENT ON COLUMN edits.seen_before IS 'Last time the text before was seen: the edit happened after it.';
COMMENT ON COLUMN edits.seen_after IS 'First time the text after was seen: the edit happened before it.';
COMMENT ON COLUMN edits.title_before IS 'The title before the edit, where the platform has titles.';
COMMENT ON COLUMN edits.title_after IS 'The title after the edit.';
COMMENT ON COLUMN edits.text_before IS 'The text before the edit.';
COMMENT ON COLUMN edits.text_after IS 'The text after the edit; where only a link, a file or the visibility changed, the same as before.';
