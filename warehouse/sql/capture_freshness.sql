-- example: SELECT account, resource, last_complete_at, last_outcome, last_error FROM capture_freshness ORDER BY last_complete_at
CREATE VIEW capture_freshness AS
WITH looks AS (
    SELECT
        account_id,
        resource,
        any_value(platform) AS platform,
        max(started_at) FILTER (WHERE outcome = 'complete') AS last_complete_at,
        max(started_at) AS last_tried_at,
        max_by(outcome, started_at) AS last_outcome,
        max(started_at) FILTER (WHERE outcome NOT IN ('complete', 'not_covered')) AS last_error_at,
        max_by(coalesce(message, outcome), started_at)
            FILTER (WHERE outcome NOT IN ('complete', 'not_covered')) AS last_error,
        count(*) AS looks
    FROM captures
    GROUP BY account_id, resource
),
open_gaps AS (
    SELECT account_id, resource, min(opened_at) AS gap_since
    FROM gaps
    WHERE closed_at IS NULL
    GROUP BY account_id, resource
)
SELECT
    accounts.name AS account,
    looks.account_id,
    looks.platform,
    looks.resource,
    looks.last_complete_at,
    looks.last_tried_at,
    looks.last_outcome,
    looks.last_error_at,
    looks.last_error,
    open_gaps.gap_since,
    looks.looks
FROM looks
LEFT JOIN open_gaps USING (account_id, resource)
LEFT JOIN accounts USING (account_id);

COMMENT ON VIEW capture_freshness IS 'For each account and resource: the last complete look, and the last thing that went wrong.';
COMMENT ON COLUMN capture_freshness.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN capture_freshness.last_complete_at IS 'Begin of the last look that completed; null where none did.';
COMMENT ON COLUMN capture_freshness.last_tried_at IS 'Begin of the last look, whatever came of it.';
COMMENT ON COLUMN capture_freshness.last_outcome IS 'What came of the last look: complete, or the code of what went wrong.';
COMMENT ON COLUMN capture_freshness.last_error_at IS 'Begin of the last look that did not complete.';
COMMENT ON COLUMN capture_freshness.last_error IS 'What went wrong in that look, in a sentence.';
COMMENT ON COLUMN capture_freshness.gap_since IS 'Since when the resource is not covered; null while it is.';
COMMENT ON COLUMN capture_freshness.looks IS 'Looks so far.';
