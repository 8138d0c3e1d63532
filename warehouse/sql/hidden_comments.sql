-- example: SELECT account, author_handle, seen_before, seen_after, text FROM hidden_comments WHERE still_hidden ORDER BY seen_after DESC
CREATE VIEW hidden_comments AS
SELECT
    account,
    account_id,
    platform,
    record_id,
    version,
    author_id,
    author_handle,
    author_name,
    author_is_account,
    published_at,
    seen_before,
    seen_after,
    unhidden_at IS NULL AS still_hidden,
    unhidden_at AS ended_at,
    state_basis,
    source_visibility,
    text,
    url,
    parent_id,
    root_id,
    evidence_key,
    evidence_offset
FROM changes
WHERE kind = 'comment' AND state = 'hidden' AND state_before IS DISTINCT FROM 'hidden';

COMMENT ON VIEW hidden_comments IS 'One row per time a comment was hidden from the public or held back: what it says, and the interval in which that happened.';
COMMENT ON COLUMN hidden_comments.version IS 'The version that was hidden.';
COMMENT ON COLUMN hidden_comments.seen_before IS 'Last time it was not hidden; null where it never was seen so.';
COMMENT ON COLUMN hidden_comments.seen_after IS 'First time it was seen hidden.';
COMMENT ON COLUMN hidden_comments.still_hidden IS 'Whether it was hidden when last looked at.';
COMMENT ON COLUMN hidden_comments.ended_at IS 'First time it was seen shown again, deleted or unavailable.';
