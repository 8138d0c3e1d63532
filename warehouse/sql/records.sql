-- example: SELECT kind, published_at, author_handle, text FROM records WHERE text ILIKE '%library%' ORDER BY published_at
-- example: SELECT record_id FROM records WHERE account = $account AND published_at >= '2026-01-01' AND published_at < '2026-07-01'
CREATE VIEW records AS
SELECT * EXCLUDE (record_key, seen_until, superseded_at) FROM versions WHERE superseded_at IS NULL;

COMMENT ON VIEW records IS 'Every post and comment once, in its latest known version, deleted and hidden ones included.';
