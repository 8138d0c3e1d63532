-- example: SELECT kind, state, certainty, text FROM records_as_of('2026-06-30') WHERE account = $account ORDER BY published_at
-- One row per record that was published or seen at the moment: the version that held then. The bounds are the looks themselves, and belong
-- to what they showed: at seen_after the version was there, at seen_until it still was, at superseded_at the next one was.
CREATE MACRO records_as_of(moment) AS TABLE
SELECT
    CASE
        WHEN seen_after > CAST(moment AS TIMESTAMPTZ) AND platform_edited_at > CAST(moment AS TIMESTAMPTZ) THEN 'edited_since'
        WHEN seen_after > CAST(moment AS TIMESTAMPTZ) THEN 'inferred'
        WHEN superseded_at IS NULL OR seen_until >= CAST(moment AS TIMESTAMPTZ) THEN 'seen'
        ELSE 'inside_interval'
    END AS certainty,
    *
FROM versions
WHERE
    CASE
        WHEN seen_after <= CAST(moment AS TIMESTAMPTZ) THEN superseded_at IS NULL OR superseded_at > CAST(moment AS TIMESTAMPTZ)
        ELSE version = 1 AND published_at <= CAST(moment AS TIMESTAMPTZ)
    END;

COMMENT ON MACRO TABLE records_as_of IS 'The posts and comments as the public could see them at a moment (UTC), and how certain that is.';
