WITH own AS (
    SELECT account_id, record_id, min(published_at) AS published_at
    FROM posts
    WHERE author_is_account AND published_at > $since AND published_at <= $now
    GROUP BY account_id, record_id
),
gaps_between AS (
    SELECT
        account_id,
        published_at,
        epoch(published_at - lag(published_at) OVER (PARTITION BY account_id ORDER BY published_at)) AS seconds
    FROM own
)
SELECT
    account_id,
    count(*) AS posts,
    max(published_at) AS last_published_at,
    quantile_cont(seconds, $usual::DOUBLE) AS usual_seconds
FROM gaps_between
GROUP BY account_id
HAVING count(*) >= $habit_posts
