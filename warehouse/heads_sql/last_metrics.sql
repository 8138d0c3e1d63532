-- The last counts of some records.
FROM last_metrics
WHERE rowid IN (
    SELECT last_metrics.rowid
    FROM last_metrics
    JOIN (SELECT DISTINCT hash(record_id) AS h FROM ids) USING (h)
);
