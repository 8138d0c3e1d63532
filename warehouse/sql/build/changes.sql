-- Every version that says something else than that a record was seen for the first time and was public, beside what it was before: few rows
-- of many, so that edits, deletions and hides are read without comparing all versions with each other.
CREATE TABLE changes AS
SELECT
    *,
    lag(state) OVER step AS state_before,
    lag(title) OVER step AS title_before,
    lag(text) OVER step AS text_before,
    CASE WHEN state = 'hidden' THEN min(seen_after) FILTER (WHERE state <> 'hidden') OVER later END AS unhidden_at
FROM versions
WHERE record_key IN (SELECT record_key FROM versions WHERE version > 1 OR state <> 'present')
WINDOW
    step AS (PARTITION BY record_id ORDER BY version),
    later AS (PARTITION BY record_id ORDER BY version ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
QUALIFY version > 1 OR state <> 'present'
ORDER BY account_id, seen_after, record_id, version;
