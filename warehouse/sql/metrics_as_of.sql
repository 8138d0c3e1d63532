-- example: SELECT name, value, seen_at FROM metrics_as_of('2026-06-30') WHERE record_id = $record ORDER BY name
CREATE MACRO metrics_as_of(moment) AS TABLE
SELECT record_id, name, max_by(value, seen_at) AS value, max(seen_at) AS seen_at
FROM metrics
WHERE seen_at <= CAST(moment AS TIMESTAMPTZ)
GROUP BY record_id, name;

COMMENT ON MACRO TABLE metrics_as_of IS 'Likes, shares, replies and views of each record as last counted at a moment (UTC). A count holds until another is seen.';
