-- Each registered account: what there is of it, and how fresh.
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
fresh AS (
    SELECT
        account_id,
        min(last_complete_at) AS last_complete_at,
        max_by(last_error, last_error_at) FILTER (WHERE last_outcome <> 'complete') AS last_error
    FROM capture_freshness
    GROUP BY account_id
)
SELECT
    accounts.name,
    accounts.title,
    accounts.platform,
    accounts.handle,
    coalesce(accounts.office, accounts.department) AS belongs_to,
    accounts.status,
    coalesce(posts, 0)::BIGINT AS posts,
    coalesce(comments, 0)::BIGINT AS comments,
    coalesce(edits, 0)::BIGINT AS edits,
    coalesce(gone, 0)::BIGINT AS gone,
    coalesce(hidden, 0)::BIGINT AS hidden,
    last_complete_at,
    last_error
FROM accounts
LEFT JOIN counted USING (account_id)
LEFT JOIN edited USING (account_id)
LEFT JOIN fresh USING (account_id)
WHERE $account IS NULL OR accounts.name = $account
ORDER BY accounts.name
