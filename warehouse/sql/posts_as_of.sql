-- example: SELECT record_id, certainty, text FROM posts_as_of('2026-06-30') WHERE state = 'present'
CREATE MACRO posts_as_of(moment) AS TABLE
SELECT * EXCLUDE (kind, record_key) FROM records_as_of(moment) WHERE kind = 'post';

COMMENT ON MACRO TABLE posts_as_of IS 'The posts as the public could see them at a moment (UTC), such as posts_as_of(''2026-06-30 17:00''), and how certain that is.';
