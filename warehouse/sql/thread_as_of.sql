-- example: SELECT repeat('  ', depth) || author_handle AS author, state, certainty, text FROM thread_as_of($record, '2026-06-30') ORDER BY position
CREATE MACRO thread_as_of(record, moment) AS TABLE
SELECT places.root_id, places.position, places.depth, places.under_id, held.* EXCLUDE (root_id)
FROM (
    SELECT * FROM thread_places
    WHERE root_id IN (SELECT root_id FROM thread_places WHERE record_id = record UNION ALL SELECT record)
) AS places
JOIN records_as_of(moment) AS held USING (record_id);

COMMENT ON MACRO TABLE thread_as_of IS 'A whole thread as the public could see it at a moment (UTC), by the record_id of any post or comment of it: ORDER BY position.';
