-- example: SELECT account, kind, author_handle, cause, seen_before, seen_after, last_text FROM deletions WHERE still_gone ORDER BY seen_after DESC
-- example: SELECT cause, state_basis, count(*) AS times FROM deletions GROUP BY ALL ORDER BY times DESC
CREATE VIEW deletions AS
SELECT
    kind,
    account,
    account_id,
    platform,
    record_id,
    version,
    state,
    cause_of_loss(platform, author_is_account, state_basis) AS cause,
    state_basis,
    author_id,
    author_handle,
    author_name,
    author_is_account,
    published_at,
    seen_before,
    seen_after,
    superseded_at IS NULL AS still_gone,
    superseded_at AS seen_again_at,
    title AS last_title,
    text AS last_text,
    url,
    parent_id,
    root_id,
    evidence_key,
    evidence_offset
FROM changes
WHERE change IN ('deleted', 'unavailable');

COMMENT ON VIEW deletions IS 'One row per time a post or comment went from the platform: what it last said, and the interval in which it went.';
COMMENT ON COLUMN deletions.version IS 'The version that says it is gone.';
COMMENT ON COLUMN deletions.state IS 'deleted, or unavailable where the platform does not say that it is deleted.';
COMMENT ON COLUMN deletions.cause IS 'deleted_by_author, removed_by_city, removed_by_platform, author_gone, author_suspended, made_private, or unknown: what state_basis tells.';
COMMENT ON COLUMN deletions.seen_before IS 'Last time it was still there: it went after this.';
COMMENT ON COLUMN deletions.seen_after IS 'First time it was gone: it went before this.';
COMMENT ON COLUMN deletions.still_gone IS 'Whether it was gone when last looked at.';
COMMENT ON COLUMN deletions.seen_again_at IS 'When a later look found another state, such as restored.';
COMMENT ON COLUMN deletions.last_title IS 'The title it last had.';
COMMENT ON COLUMN deletions.last_text IS 'The text it last had.';
COMMENT ON COLUMN deletions.evidence_key IS 'Object in the evidence bucket that holds the answer saying it is gone.';
