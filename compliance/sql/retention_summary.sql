-- Per series: how many records in which status, since when the oldest are due, and when the next ones will be.
WITH counted AS (
    SELECT
        series,
        count(*) AS records,
        count(*) FILTER (WHERE status = 'keep') AS keep,
        count(*) FILTER (WHERE status = 'due') AS due,
        count(*) FILTER (WHERE status = 'held') AS held,
        count(*) FILTER (WHERE status = 'permanent') AS permanent,
        count(*) FILTER (WHERE status = 'no_series') AS no_series,
        count(*) FILTER (WHERE status = 'held' AND expires_on <= CAST($as_of AS DATE)) AS held_past_expiry,
        count(*) FILTER (WHERE series IS NOT NULL AND triggered_on IS NULL) AS not_triggered,
        min(expires_on) FILTER (WHERE status = 'due') AS due_since,
        min(expires_on) FILTER (WHERE status = 'keep') AS next_due
    FROM retention_audit
    GROUP BY series
)
SELECT
    coalesce(counted.series, series.series) AS series,
    series.title,
    series.authority,
    coalesce(counted.records, 0) AS records,
    coalesce(counted.keep, 0) AS keep,
    coalesce(counted.due, 0) AS due,
    coalesce(counted.held, 0) AS held,
    coalesce(counted.permanent, 0) AS permanent,
    coalesce(counted.no_series, 0) AS no_series,
    coalesce(counted.held_past_expiry, 0) AS held_past_expiry,
    coalesce(counted.not_triggered, 0) AS not_triggered,
    counted.due_since,
    counted.next_due
FROM counted
FULL JOIN audit_series AS series ON series.series = counted.series
ORDER BY series NULLS LAST;
