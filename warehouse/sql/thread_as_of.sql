-- example: SELECT repeat('  ', depth) || author_handle AS author, state, certainty, text FROM thread_as_of($record, '2026-06-30') ORDER BY position
-- Of all versions only those of the thread's accounts are looked at, by number first: the ids themselves (concat keeps them out of the
-- search) decide at the end.
CREATE MACRO thread_as_of(record, moment) AS TABLE
WITH places AS (
    SELECT * FROM thread_places
    WHERE (root_key, root_id) IN (
        SELECT root_key, root_id FROM thread_places WHERE record_key = hash(CAST(record AS VARCHAR)) AND record_id = record
        UNION ALL
        SELECT hash(CAST(record AS VARCHAR)), record
    )
)
SELECT places.root_id, places.position, places.depth, places.under_id, held.* EXCLUDE (root_id, record_key)
FROM places
JOIN records_as_of(moment) AS held ON held.record_key = places.record_key
WHERE
    held.account_id IN (SELECT unnest(account_ids) FROM places)
    AND concat(held.record_id) = places.record_id;

COMMENT ON MACRO TABLE thread_as_of IS 'A whole thread as the public could see it at a moment (UTC), by the record_id of any post or comment of it: ORDER BY position.';
