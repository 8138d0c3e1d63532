SELECT record_id, position, depth, state, author_handle, author_name, published_at, text, 'seen' AS certainty
FROM threads
WHERE root_id IN (SELECT root_id FROM thread_places WHERE record_key = hash(CAST($record AS VARCHAR)) AND record_id = $record)
ORDER BY position;
