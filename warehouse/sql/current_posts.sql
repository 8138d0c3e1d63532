-- example: SELECT published_at, text, url FROM current_posts WHERE state = 'present' ORDER BY published_at DESC LIMIT 20
CREATE VIEW current_posts AS
SELECT account, * EXCLUDE (account, record_key, seen_until, superseded_at) FROM posts WHERE superseded_at IS NULL;

COMMENT ON VIEW current_posts IS 'Every post of the City once, in its latest known version.';
