-- example: SELECT repeat('  ', depth) || author_handle AS author, state, text FROM threads WHERE root_id = $record ORDER BY position
CREATE VIEW threads AS
SELECT
    thread_places.root_id,
    thread_places.position,
    thread_places.depth,
    thread_places.under_id,
    versions.* EXCLUDE (root_id, record_key, seen_until, superseded_at)
FROM thread_places
JOIN versions ON versions.record_key = thread_places.record_key AND versions.record_id = thread_places.record_id
WHERE versions.superseded_at IS NULL;

COMMENT ON VIEW threads IS 'Every post with its comments in reading order, in their latest known version: ORDER BY root_id, position.';
COMMENT ON COLUMN threads.root_id IS 'record_id of the post that begins the thread.';
