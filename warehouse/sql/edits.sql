-- example: SELECT account, record_id, seen_after, text_before, text_after FROM edits ORDER BY seen_after DESC
CREATE VIEW edits AS
SELECT
    later.kind,
    later.account,
    later.account_id,
    later.platform,
    later.record_id,
    later.version,
    later.change,
    later.author_handle,
    later.author_is_account,
    later.published_at,
    later.platform_edited_at,
    later.seen_before,
    later.seen_after,
    before.title AS title_before,
    later.title AS title_after,
    before.text AS text_before,
    later.text AS text_after,
    later.url,
    later.root_id,
    later.evidence_key,
    later.evidence_offset
FROM versions AS later
JOIN versions AS before ON before.record_id = later.record_id AND before.version = later.version - 1
WHERE
    later.version > 1
    AND (
        later.change = 'edited'
        OR later.text IS DISTINCT FROM before.text
        OR later.title IS DISTINCT FROM before.title
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
