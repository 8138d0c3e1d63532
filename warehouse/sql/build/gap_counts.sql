-- What later looks brought of each gap. Gaps of one resource do not overlap, so that each moment belongs to one at most.
CREATE TABLE gap_counts AS
WITH published AS (
    SELECT holes.gap_id, holes.opened_at, holes.closed_at, first.seen_after, first.published_at
    FROM (SELECT account_id, kind || 's' AS resource, published_at, seen_after FROM versions WHERE version = 1) AS first
    ASOF JOIN gaps AS holes
        ON holes.account_id = first.account_id
        AND holes.resource = first.resource
        AND first.published_at >= holes.opened_at
),
brought AS (
    SELECT gap_id, count(*) AS records
    FROM published
    WHERE published_at < closed_at AND seen_after >= closed_at
    GROUP BY gap_id
),
closing AS (
    SELECT
        gaps.gap_id,
        looks.capture_id AS closed_by,
        -- a hide or a block made in the gap is a new record
        counts.changed + counts.gone + if(gaps.resource = 'moderation', counts.new, 0) AS changes
    FROM gaps
    JOIN captures AS looks
        ON looks.account_id = gaps.account_id
        AND looks.resource = gaps.resource
        AND looks.started_at = gaps.closed_at
        AND looks.outcome = 'complete'
    JOIN capture_counts AS counts ON counts.capture_id = looks.capture_id
)
SELECT gaps.gap_id, closing.closed_by, coalesce(brought.records, 0) AS records, coalesce(closing.changes, 0) AS changes
FROM gaps
LEFT JOIN brought USING (gap_id)
LEFT JOIN closing USING (gap_id);
