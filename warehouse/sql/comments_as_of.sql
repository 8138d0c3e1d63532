-- example: SELECT record_id, certainty, text FROM comments_as_of('2026-06-30') WHERE state = 'hidden'
CREATE MACRO comments_as_of(moment) AS TABLE
SELECT * EXCLUDE (kind, record_key) FROM records_as_of(moment) WHERE kind = 'comment';

COMMENT ON MACRO TABLE comments_as_of IS 'The comments as the public could see them at a moment (UTC), such as comments_as_of(''2026-06-30 17:00''), and how certain that is.';
