-- example: SELECT account, author_handle, seen_before, seen_after, text FROM hidden_comments WHERE still_hidden ORDER BY seen_after DESC
CREATE VIEW hidden_comments AS
WITH steps AS (
    SELECT
        *,
        lag(state) OVER steps AS state_before,
        min(seen_after) FILTER (WHERE state <> 'hidden') OVER later AS ended_at
    FROM comments
    WHERE record_id IN (SELECT record_id FROM comments WHERE state = 'hidden')
    WINDOW
        steps AS (PARTITION BY record_id ORDER BY version),
        later AS (PARTITION BY record_id ORDER BY version ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
)
SELECT
    accounts.name AS account,
    steps.account_id,
    steps.platform,
    steps.record_id,
    steps.version,
    steps.author_id,
    steps.author_handle,
    steps.author_name,
    steps.author_is_account,
    steps.published_at,
    steps.seen_before,
    steps.seen_after,
    steps.ended_at IS NULL AS still_hidden,
    steps.ended_at,
    steps.state_basis,
    steps.source_visibility,
    steps.text,
    steps.url,
    steps.parent_id,
    steps.root_id,
    steps.evidence_key,
    steps.evidence_offset
FROM steps
LEFT JOIN accounts USING (account_id)
WHERE steps.state = 'hidden' AND steps.state_before IS DISTINCT FROM 'hidden';

COMMENT ON VIEW hidden_comments IS 'One row per time a comment was hidden from the public or held back: what it says, and the interval in which that happened.';
COMMENT ON COLUMN hidden_comments.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN hidden_comments.version IS 'The version that was hidden.';
COMMENT ON COLUMN hidden_comments.seen_before IS 'Last time it was not hidden; null where it never was seen so.';
COMMENT ON COLUMN hidden_comments.seen_after IS 'First time it was seen hidden.';
COMMENT ON COLUMN hidden_comments.still_hidden IS 'Whether it was hidden when last looked at.';
COMMENT ON COLUMN hidden_comments.ended_at IS 'First time it was seen shown again, deleted or unavailable.';
