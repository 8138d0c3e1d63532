-- example: SELECT author_handle, count(*) AS comments FROM current_comments GROUP BY ALL ORDER BY comments DESC LIMIT 20
CREATE VIEW current_comments AS
SELECT account, * EXCLUDE (account, record_key, seen_until, superseded_at) FROM comments WHERE superseded_at IS NULL;

COMMENT ON VIEW current_comments IS 'Every comment and reply on the City''s posts once, in its latest known version.';
