-- Every account by day: how each of its resources was covered, and what is held that was published that day.
CREATE TEMP TABLE spans AS
WITH last AS (
    SELECT max(started_at) AS moment FROM captures
)
SELECT
    looks.account_id,
    looks.resource,
    CAST(min(looks.started_at) AT TIME ZONE 'UTC' AS DATE) AS first_day,
    -- a deactivated account is no longer looked at, on purpose
    CAST(if(any_value(accounts.status) = 'deactivated', max(looks.started_at), any_value(last.moment)) AT TIME ZONE 'UTC' AS DATE)
        AS last_day,
    max(looks.started_at) FILTER (WHERE looks.outcome = 'complete') AS last_complete_at
FROM captures AS looks
CROSS JOIN last
LEFT JOIN accounts USING (account_id)
WHERE looks.resource NOT LIKE '%\_history' ESCAPE '\'
GROUP BY ALL;

CREATE TEMP TABLE resource_days AS
WITH days AS (
    SELECT account_id, resource, last_complete_at, CAST(unnest(generate_series(first_day, last_day, INTERVAL 1 DAY)) AS DATE) AS day
    FROM spans
),
looks AS (
    SELECT
        account_id,
        resource,
        CAST(started_at AT TIME ZONE 'UTC' AS DATE) AS day,
        count(*) AS captures,
        count(*) FILTER (WHERE outcome = 'complete') AS complete_captures
    FROM captures
    GROUP BY ALL
),
ends AS (
    SELECT max(last_day) AS last_day FROM spans
),
holes AS (
    SELECT
        account_id,
        resource,
        CAST(unnest(generate_series(
            CAST(opened_at AT TIME ZONE 'UTC' AS DATE),
            coalesce(CAST(closed_at AT TIME ZONE 'UTC' AS DATE), ends.last_day),
            INTERVAL 1 DAY
        )) AS DATE) AS day,
        closed_at IS NULL AS unclosed,
        cause
    FROM gaps
    CROSS JOIN ends
),
open_holes AS (
    SELECT account_id, resource, day, bool_or(unclosed) AS unclosed, bool_or(cause = 'not_covered') AS not_covered, count(*) AS gaps
    FROM holes
    GROUP BY ALL
)
SELECT
    days.account_id,
    days.resource,
    days.day,
    coalesce(looks.captures, 0) AS captures,
    coalesce(looks.complete_captures, 0) AS complete_captures,
    coalesce(open_holes.gaps, 0) AS gaps,
    CASE
        WHEN open_holes.unclosed AND looks.complete_captures > 0 THEN 'partial'
        WHEN open_holes.unclosed AND open_holes.not_covered THEN 'not_covered'
        WHEN open_holes.unclosed THEN 'missing'
        WHEN open_holes.gaps > 0 THEN 'recovered'
        WHEN looks.complete_captures > 0 THEN 'complete'
        WHEN days.last_complete_at >= days.day + 1 THEN 'recovered'
        ELSE 'missing'
    END AS coverage
FROM days
LEFT JOIN looks USING (account_id, resource, day)
LEFT JOIN open_holes USING (account_id, resource, day);

CREATE TEMP TABLE held_days AS
SELECT
    account_id,
    CAST(published_at AT TIME ZONE 'UTC' AS DATE) AS day,
    count(*) FILTER (WHERE kind = 'post') AS posts,
    count(*) FILTER (WHERE kind = 'comment') AS comments,
    count(*) FILTER (WHERE author_is_account) AS own
FROM versions
WHERE version = 1 AND published_at IS NOT NULL
GROUP BY ALL;

-- How many of the account's own posts and comments stood at the end of each day, to be held against the platform's own count.
CREATE TEMP TABLE standing_days AS
WITH moves AS (
    SELECT account_id, day, own AS added FROM held_days
    UNION ALL
    SELECT
        account_id,
        CAST(seen_after AT TIME ZONE 'UTC' AS DATE) AS day,
        CASE
            WHEN state IN ('deleted', 'unavailable') AND coalesce(state_before, 'present') NOT IN ('deleted', 'unavailable') THEN -1
            WHEN state NOT IN ('deleted', 'unavailable') AND state_before IN ('deleted', 'unavailable') THEN 1
            ELSE 0
        END AS added
    FROM changes
    WHERE author_is_account
),
days AS (
    SELECT account_id, day, sum(added) AS added FROM moves GROUP BY ALL
)
SELECT account_id, day, sum(added) OVER (PARTITION BY account_id ORDER BY day)::BIGINT AS own_standing
FROM days;

CREATE TEMP TABLE reply_days AS
SELECT account_id, CAST(published_at AT TIME ZONE 'UTC' AS DATE) AS day, sum(counted)::BIGINT AS counted, sum(held)::BIGINT AS held
FROM reply_counts
WHERE published_at IS NOT NULL
GROUP BY ALL;

CREATE TABLE account_days AS
WITH totals AS (
    SELECT
        account_id,
        CAST(started_at AT TIME ZONE 'UTC' AS DATE) AS day,
        max_by(platform_total, started_at) AS platform_posts
    FROM captures
    WHERE resource = 'profile' AND outcome = 'complete' AND platform_total IS NOT NULL
    GROUP BY ALL
),
begun AS (
    SELECT account_id, min(first_day) AS first_day FROM spans GROUP BY account_id
),
-- how far back posts and comments were read, by the looks and by the slices of history
reached AS (
    SELECT
        account_id,
        split_part(resource, '_', 1) AS resource,
        min(coalesce(since, TIMESTAMPTZ '0001-01-01')) AS since
    FROM captures
    WHERE outcome = 'complete' AND split_part(resource, '_', 1) IN ('posts', 'comments')
    GROUP BY ALL
),
read_back AS (
    SELECT account_id, max(since) AS since, count(*) AS resources FROM reached GROUP BY account_id
),
watched AS (
    SELECT
        account_id,
        day,
        sum(captures)::BIGINT AS captures,
        sum(complete_captures)::BIGINT AS complete_captures,
        sum(gaps)::BIGINT AS gaps,
        CASE
            WHEN bool_and(coverage = 'complete') THEN 'complete'
            WHEN bool_and(coverage IN ('complete', 'recovered')) THEN 'recovered'
            WHEN bool_and(coverage IN ('missing', 'not_covered')) THEN 'missing'
            ELSE 'partial'
        END AS coverage,
        if(
            bool_and(coverage = 'missing'),
            'everything',
            string_agg(resource || ': ' || coverage, ', ' ORDER BY resource) FILTER (WHERE coverage <> 'complete')
        ) AS lacking
    FROM resource_days
    GROUP BY ALL
),
past AS (
    SELECT
        held_days.account_id,
        held_days.day,
        if(read_back.resources = 2 AND read_back.since <= held_days.day, 'recovered', 'partial') AS coverage,
        if(read_back.resources = 2 AND read_back.since <= held_days.day, 'before the first look', 'history: not read to here') AS lacking
    FROM held_days
    LEFT JOIN begun USING (account_id)
    LEFT JOIN read_back USING (account_id)
    WHERE begun.first_day IS NULL OR held_days.day < begun.first_day
),
days AS (
    SELECT * FROM watched
    UNION ALL BY NAME
    SELECT * FROM past
)
SELECT
    days.account_id,
    days.day,
    days.coverage,
    days.lacking,
    coalesce(days.captures, 0) AS captures,
    coalesce(days.complete_captures, 0) AS complete_captures,
    coalesce(days.gaps, 0) AS gaps,
    coalesce(held_days.posts, 0) AS posts,
    coalesce(held_days.comments, 0) AS comments,
    reply_days.counted AS platform_replies,
    reply_days.held AS replies,
    totals.platform_posts,
    if(totals.platform_posts IS NULL, NULL, coalesce(standing_days.own_standing, 0)) AS own_posts
FROM days
LEFT JOIN held_days USING (account_id, day)
LEFT JOIN reply_days USING (account_id, day)
LEFT JOIN totals USING (account_id, day)
ASOF LEFT JOIN standing_days ON standing_days.account_id = days.account_id AND standing_days.day <= days.day
ORDER BY days.account_id, days.day;

DROP TABLE spans;
DROP TABLE resource_days;
DROP TABLE held_days;
DROP TABLE standing_days;
DROP TABLE reply_days;
