-- example: SELECT account, week, posts, comments, edits, deletions, hidden FROM activity_by_week ORDER BY account, week
CREATE VIEW activity_by_week AS
WITH events AS (
    SELECT account, account_id, coalesce(published_at, seen_after) AS happened_at, kind || 's' AS what FROM records
    UNION ALL
    SELECT account, account_id, seen_after, 'edits' FROM edits
    UNION ALL
    SELECT account, account_id, seen_after, 'deletions' FROM deletions
    UNION ALL
    SELECT account, account_id, seen_after, 'hidden' FROM hidden_comments
)
SELECT
    account,
    account_id,
    CAST(date_trunc('week', make_timestamp(epoch_us(happened_at))) AS DATE) AS week,
    count(*) FILTER (WHERE what = 'posts') AS posts,
    count(*) FILTER (WHERE what = 'comments') AS comments,
    count(*) FILTER (WHERE what = 'edits') AS edits,
    count(*) FILTER (WHERE what = 'deletions') AS deletions,
    count(*) FILTER (WHERE what = 'hidden') AS hidden
FROM events
GROUP BY ALL;

COMMENT ON VIEW activity_by_week IS 'What happened on each account in each week with any activity.';
COMMENT ON COLUMN activity_by_week.week IS 'Monday of the week, UTC.';
COMMENT ON COLUMN activity_by_week.posts IS 'Posts published in the week.';
COMMENT ON COLUMN activity_by_week.comments IS 'Comments and replies published in the week, the City''s own included.';
COMMENT ON COLUMN activity_by_week.edits IS 'Edits of posts and comments first seen in the week.';
COMMENT ON COLUMN activity_by_week.deletions IS 'Posts and comments first seen gone in the week.';
COMMENT ON COLUMN activity_by_week.hidden IS 'Times a comment was first seen hidden in the week.';
