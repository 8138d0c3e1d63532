-- One table of versions from `source`, each with a number made from its record's id, the name of its account, the last time it was seen as it is, and the moment the next one
-- replaced it. Only few records have more than one version: the comparison goes over those. The rows keep the order of the archive's
-- files (by month, within them by account and time): sorting them all again would cost most of the build and prune little more.
CREATE TABLE built AS
WITH spans AS (
    SELECT
        record_id,
        version,
        lead(seen_before) OVER step AS seen_until,
        lead(seen_after) OVER step AS superseded_at
    FROM source
    WHERE record_id IN (SELECT record_id FROM source WHERE version > 1)
    WINDOW step AS (PARTITION BY record_id ORDER BY version)
)
SELECT source.*, hash(source.record_id) AS record_key, accounts.name AS account, spans.seen_until, spans.superseded_at
FROM source
LEFT JOIN spans USING (record_id, version)
LEFT JOIN accounts USING (account_id);
