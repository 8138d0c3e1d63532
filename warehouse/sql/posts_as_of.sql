-- example: SELECT record_id, state, text FROM posts_as_of('2026-06-30') WHERE state = 'present'
CREATE MACRO posts_as_of(moment) AS TABLE
SELECT * EXCLUDE (superseded_at)
FROM posts
WHERE seen_after <= CAST(moment AS TIMESTAMPTZ) AND (superseded_at IS NULL OR superseded_at > CAST(moment AS TIMESTAMPTZ));

COMMENT ON MACRO TABLE posts_as_of IS 'The posts as the archive knew them at a moment (UTC), such as posts_as_of(''2026-06-30 17:00'').';
