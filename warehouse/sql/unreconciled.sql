-- example: SELECT account, what, record_id, counted, held, difference, reasons FROM unreconciled ORDER BY abs(difference) DESC
CREATE VIEW unreconciled AS
WITH noted AS (
    SELECT
        account_id,
        max(started_at) FILTER (WHERE contains(skipped, 'replies_not_shown')) AS not_shown_at,
        max(started_at) FILTER (WHERE outcome = 'complete') AS complete_at
    FROM captures
    WHERE resource = 'comments'
    GROUP BY account_id
),
aside AS (
    SELECT account_id, count(*) AS items FROM quarantine GROUP BY account_id
),
holes AS (
    SELECT DISTINCT account_id FROM gaps WHERE closed_at IS NULL AND resource IN ('comments', 'history')
),
differences AS (
    SELECT
        'replies' AS what,
        replies.account_id,
        replies.record_id,
        NULL AS capture_id,
        replies.counted,
        replies.held,
        list_filter([
            if(replies.counted > replies.held AND noted.not_shown_at IS NOT NULL, 'replies_not_shown', NULL),
            if(replies.hidden > 0, 'hidden', NULL),
            if(replies.gone > 0, 'gone_meanwhile', NULL),
            if(aside.items > 0, 'quarantined', NULL),
            if(holes.account_id IS NOT NULL, 'not_covered', NULL),
            if(noted.complete_at IS NULL OR replies.counted_at > noted.complete_at, 'counted_after_last_look', NULL)
        ], lambda reason: reason IS NOT NULL) AS reasons
    FROM reply_differences AS replies
    LEFT JOIN noted USING (account_id)
    LEFT JOIN aside USING (account_id)
    LEFT JOIN holes USING (account_id)
    UNION ALL
    SELECT what, account_id, record_id, capture_id, counted, held, if(reason IS NULL, [], [reason]) FROM look_differences
    UNION ALL
    SELECT 'listing', captures.account_id, NULL, captures.capture_id, captures.platform_total, counts.records, ['not_named']
    FROM captures
    JOIN capture_counts AS counts USING (capture_id)
    WHERE captures.outcome = 'complete' AND captures.resource IN ('posts', 'comments') AND captures.platform_total > counts.records
)
SELECT accounts.name AS account, differences.*, differences.counted - differences.held AS difference
FROM differences
LEFT JOIN accounts USING (account_id);

COMMENT ON VIEW unreconciled IS 'Every count that does not reconcile, item by item. No row: everything does.';
COMMENT ON COLUMN unreconciled.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN unreconciled.what IS 'replies: the platform counts other answers to a post or comment than are held. look: a record was looked at, but no table has it. version: a version says it was shown by a look that did not look at it. listing: the platform counts more than its listing showed.';
COMMENT ON COLUMN unreconciled.record_id IS 'The record; null for a listing, where the platform names none.';
COMMENT ON COLUMN unreconciled.capture_id IS 'The look; null for replies, which are counted as last known.';
COMMENT ON COLUMN unreconciled.counted IS 'What the platform counts, or what the look showed.';
COMMENT ON COLUMN unreconciled.held IS 'What the archive holds of it.';
COMMENT ON COLUMN unreconciled.difference IS 'counted less held: above zero something is missing here.';
COMMENT ON COLUMN unreconciled.reasons IS 'What is known that may explain it: replies_not_shown (the platform said that it shows fewer), hidden and gone_meanwhile (answers it may count or not), quarantined, not_covered (an open gap), counted_after_last_look, content_never_shown (only named, as hidden or gone), not_named. Empty: nothing known explains it.';
