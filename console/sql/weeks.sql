-- Twenty-six weeks of one account, or of all ($account null), the week of $last the last one; weeks without activity included.
WITH span AS (
    SELECT CAST(unnest(generate_series(
        date_trunc('week', CAST($last AS DATE)) - INTERVAL 25 WEEK,
        date_trunc('week', CAST($last AS DATE)),
        INTERVAL 1 WEEK
    )) AS DATE) AS week
)
SELECT
    span.week,
    coalesce(sum(posts), 0)::BIGINT AS posts,
    coalesce(sum(comments), 0)::BIGINT AS comments,
    coalesce(sum(edits), 0)::BIGINT AS edits,
    coalesce(sum(deletions), 0)::BIGINT AS deletions,
    coalesce(sum(hidden), 0)::BIGINT AS hidden
FROM span
LEFT JOIN activity_by_week AS activity
    ON activity.week = span.week AND ($account IS NULL OR activity.account = $account)
GROUP BY span.week
ORDER BY span.week
