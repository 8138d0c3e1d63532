SELECT record_id, position, depth, state, author_handle, author_name, published_at, text, certainty
FROM thread_as_of($record, $moment)
ORDER BY position;
