WITH counted AS (
    SELECT
        metric.record_id, metric.name, metric.value, metric.seen_at, metric.capture_id,
        coalesce(
            lag(metric.value) OVER (PARTITION BY metric.record_id, metric.name ORDER BY metric.seen_at, metric.row),
            known.value
        ) AS value_before,
        metric.row
    FROM metrics AS metric
    LEFT JOIN known_metrics AS known USING (record_id, name)
    ANTI JOIN late ON late.family = 'record' AND late.record_id = metric.record_id
    WHERE known.seen_at IS NULL OR metric.seen_at > known.seen_at
)
SELECT record_id, name, value, seen_at, capture_id
FROM counted
WHERE value IS DISTINCT FROM value_before
ORDER BY row;
