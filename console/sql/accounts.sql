-- Each registered account: what there is of it, how fresh it is, and whether that is trouble. Trouble comes first.
-- $account: one name, or null for all. $late_before: a look that is complete only as of an earlier moment is late.
WITH counted AS (
    SELECT
        account_id,
        count(*) FILTER (WHERE kind = 'post') AS posts,
        count(*) FILTER (WHERE kind = 'comment') AS comments,
        count(*) FILTER (WHERE state = 'hidden') AS hidden,
        count(*) FILTER (WHERE state IN ('deleted', 'unavailable')) AS gone
    FROM records
    GROUP BY account_id
),
edited AS (SELECT account_id, count(*) AS edits FROM edits GROUP BY account_id),
-- What went wrong by itself, not in consequence: after a dead token the other resources are not tried.
causes AS (SELECT *, NOT starts_with(last_error, 'not tried:') AS cause FROM capture_freshness),
fresh AS (
    SELECT
        account_id,
        CASE
            WHEN bool_and(last_complete_at IS NOT NULL OR last_outcome = 'not_covered')
            THEN min(last_complete_at) FILTER (WHERE last_outcome <> 'not_covered')
        END AS complete_as_of,
        bool_or(last_outcome NOT IN ('complete', 'not_covered')) AS failing,
        max(last_error_at) FILTER (WHERE cause) AS last_error_at,
        max_by(last_error, last_error_at) FILTER (WHERE cause) AS last_error,
        min(gap_since) AS gap_since
    FROM causes
    GROUP BY account_id
),
judged AS (
    SELECT
        accounts.*,
        fresh.* EXCLUDE (account_id),
        CASE
            WHEN accounts.status NOT IN ('approved', 'active') THEN 'not captured'
            WHEN failing THEN 'failing'
            WHEN complete_as_of IS NULL THEN 'never complete'
            WHEN complete_as_of < $late_before THEN 'late'
            ELSE 'up to date'
        END AS capture
    FROM accounts
    LEFT JOIN fresh USING (account_id)
)
SELECT
    name,
    title,
    CASE platform
        WHEN 'wordpress' THEN 'WordPress'
        ELSE upper(platform[1]) || platform[2:]
    END AS platform,
    handle,
    coalesce(office, department) AS belongs_to,
    status,
    coalesce(posts, 0)::BIGINT AS posts,
    coalesce(comments, 0)::BIGINT AS comments,
    coalesce(edits, 0)::BIGINT AS edits,
    coalesce(gone, 0)::BIGINT AS gone,
    coalesce(hidden, 0)::BIGINT AS hidden,
    capture,
    complete_as_of,
    gap_since,
    last_error_at,
    last_error
FROM judged
LEFT JOIN counted USING (account_id)
LEFT JOIN edited USING (account_id)
WHERE $account IS NULL OR name = $account
ORDER BY list_position(['failing', 'never complete', 'late', 'up to date', 'not captured'], capture), title, name
