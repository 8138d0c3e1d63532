-- One table of versions from `source`, each with the moment the next one replaced it. The rows keep the order of the archive's files (by
-- month, within them by account and time): sorting them all again would cost most of the build and prune little more.
CREATE TABLE built AS
WITH spans AS (
    SELECT record_id, version, lead(seen_after) OVER (PARTITION BY record_id ORDER BY version) AS superseded_at
    FROM source
)
SELECT source.*, spans.superseded_at
FROM source
JOIN spans USING (record_id, version);
