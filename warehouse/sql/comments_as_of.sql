-- example: SELECT record_id, state, text FROM comments_as_of('2026-06-30') WHERE state = 'hidden'
CREATE MACRO comments_as_of(moment) AS TABLE
SELECT * EXCLUDE (superseded_at)
FROM comments
WHERE seen_after <= CAST(moment AS TIMESTAMPTZ) AND (superseded_at IS NULL OR superseded_at > CAST(moment AS TIMESTAMPTZ));

COMMENT ON MACRO TABLE comments_as_of IS 'The comments as the archive knew them at a moment (UTC), such as comments_as_of(''2026-06-30 17:00'').';
