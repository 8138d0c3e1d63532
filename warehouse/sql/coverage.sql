-- example: SELECT account, posts, comments, captures, open_gaps, quarantined FROM coverage ORDER BY account
CREATE VIEW coverage AS
WITH content AS (
    SELECT
        account_id,
        count(*) FILTER (WHERE kind = 'post') AS posts,
        count(*) FILTER (WHERE kind = 'comment') AS comments,
        min(published_at) AS first_published_at,
        max(published_at) AS last_published_at
    FROM records
    GROUP BY account_id
),
looks AS (
    SELECT
        account_id,
        count(*) AS captures,
        count(*) FILTER (WHERE outcome = 'complete') AS complete_captures,
        min(started_at) AS first_capture_at,
        max(started_at) AS last_capture_at
    FROM captures
    GROUP BY account_id
),
holes AS (
    SELECT account_id, count(*) AS gaps, count(*) FILTER (WHERE closed_at IS NULL) AS open_gaps
    FROM gaps
    GROUP BY account_id
),
aside AS (
    SELECT account_id, count(*) AS quarantined FROM quarantine GROUP BY account_id
),
known AS (
    SELECT account_id FROM accounts
    UNION
    SELECT account_id FROM content
    UNION
    SELECT account_id FROM looks
)
SELECT
    accounts.name AS account,
    known.account_id,
    coalesce(content.posts, 0) AS posts,
    coalesce(content.comments, 0) AS comments,
    content.first_published_at,
    content.last_published_at,
    coalesce(looks.captures, 0) AS captures,
    coalesce(looks.complete_captures, 0) AS complete_captures,
    looks.first_capture_at,
    looks.last_capture_at,
    coalesce(holes.gaps, 0) AS gaps,
    coalesce(holes.open_gaps, 0) AS open_gaps,
    coalesce(aside.quarantined, 0) AS quarantined
FROM known
LEFT JOIN accounts USING (account_id)
LEFT JOIN content USING (account_id)
LEFT JOIN looks USING (account_id)
LEFT JOIN holes USING (account_id)
LEFT JOIN aside USING (account_id);

COMMENT ON VIEW coverage IS 'What the archive holds of each account, and what it may be missing.';
COMMENT ON COLUMN coverage.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN coverage.posts IS 'Posts, deleted ones included.';
COMMENT ON COLUMN coverage.comments IS 'Comments and replies, deleted and hidden ones included.';
COMMENT ON COLUMN coverage.first_published_at IS 'Publication time of the oldest record.';
COMMENT ON COLUMN coverage.last_published_at IS 'Publication time of the newest record.';
COMMENT ON COLUMN coverage.captures IS 'Looks at any resource of the account.';
COMMENT ON COLUMN coverage.complete_captures IS 'Looks that completed.';
COMMENT ON COLUMN coverage.first_capture_at IS 'Begin of the first look.';
COMMENT ON COLUMN coverage.last_capture_at IS 'Begin of the last look.';
COMMENT ON COLUMN coverage.gaps IS 'Intervals in which a resource was not covered.';
COMMENT ON COLUMN coverage.open_gaps IS 'Intervals that are not closed yet.';
COMMENT ON COLUMN coverage.quarantined IS 'Items the program could not read; their bytes are in the evidence.';
