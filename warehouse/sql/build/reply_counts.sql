-- The platform's count of the answers to each post and comment, beside those held: both as last known.
CREATE TEMP TABLE reply_counts AS
WITH told AS (
    SELECT record_id, max_by(value, seen_at) AS counted, max(seen_at) AS counted_at
    FROM metrics
    WHERE name = 'replies'
    GROUP BY record_id
),
answers AS (
    SELECT
        parent_id AS record_id,
        count(*) FILTER (WHERE state IN ('present', 'hidden')) AS held,
        count(*) FILTER (WHERE state = 'hidden') AS hidden,
        count(*) FILTER (WHERE state IN ('deleted', 'unavailable')) AS gone
    FROM comments
    WHERE superseded_at IS NULL AND parent_id IN (SELECT record_id FROM told)
    GROUP BY parent_id
)
SELECT
    records.account_id,
    records.kind,
    records.record_id,
    records.published_at,
    told.counted,
    coalesce(answers.held, 0) AS held,
    coalesce(answers.hidden, 0) AS hidden,
    coalesce(answers.gone, 0) AS gone,
    told.counted_at
FROM told
JOIN (SELECT kind, account_id, record_id, published_at FROM versions WHERE superseded_at IS NULL AND state IN ('present', 'hidden')) AS records
    USING (record_id)
LEFT JOIN answers USING (record_id);

CREATE TABLE reply_differences AS
SELECT * FROM reply_counts WHERE counted <> held ORDER BY account_id, record_id;
