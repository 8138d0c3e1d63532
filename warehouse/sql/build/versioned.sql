-- One table of versions from `source`, each with the moment the next one replaced it, sorted so that a question about an account
-- or a period reads little.
CREATE TABLE built AS
WITH spans AS (
    SELECT record_id, version, lead(seen_after) OVER (PARTITION BY record_id ORDER BY version) AS superseded_at
    FROM source
)
SELECT source.*, spans.superseded_at
FROM source
JOIN spans USING (record_id, version)
ORDER BY source.account_id, source.seen_after, source.record_id, source.version;
