CREATE OR REPLACE TEMP TABLE last_counted AS
SELECT hash(record_id) AS h, record_id, name, arg_max(value, seen_at) AS value, max(seen_at) AS seen_at
FROM counted
GROUP BY ALL;

DELETE FROM last_metrics
WHERE rowid IN (
    SELECT last_metrics.rowid
    FROM last_metrics
    JOIN last_counted
        ON last_metrics.h = last_counted.h
        AND last_metrics.record_id = last_counted.record_id
        AND last_metrics.name = last_counted.name
);

INSERT INTO last_metrics BY NAME FROM last_counted;
