-- Days that follow each other and were covered alike, together. A null parameter is no limit.
WITH days AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY account_id ORDER BY day)
            - row_number() OVER (PARTITION BY account_id, coverage, lacking ORDER BY day) AS run
    FROM coverage_by_day
    WHERE
        ($account IS NULL OR account = $account)
        AND day >= CAST($first AS DATE)
        AND day <= CAST($last AS DATE)
)
SELECT
    coalesce(account, account_id) AS account,
    min(day) AS first_day,
    max(day) AS last_day,
    count(*) AS days,
    coverage,
    lacking,
    sum(captures)::BIGINT AS captures,
    sum(complete_captures)::BIGINT AS complete_captures,
    max(gaps) AS gaps,
    sum(posts)::BIGINT AS posts,
    sum(comments)::BIGINT AS comments,
    sum(replies)::BIGINT AS replies,
    sum(platform_replies)::BIGINT AS platform_replies,
    max_by(own_posts, day) AS own_posts,
    max_by(platform_posts, day) AS platform_posts
FROM days
GROUP BY account, account_id, coverage, lacking, run
ORDER BY account, first_day
