-- Every current record of the mart with what rules and holds go by. Expects audit_accounts.
CREATE VIEW audit_records AS
WITH current AS (
    SELECT 'post' AS kind, record_id, account_id, platform, published_at, author_is_account, title, text
    FROM current_posts
    UNION ALL
    SELECT 'comment', record_id, account_id, platform, published_at, author_is_account, title, text
    FROM current_comments
    UNION ALL
    SELECT 'moderation_action', record_id, account_id, platform, coalesce(acted_at, seen_after), true, NULL, reason
    FROM moderation_actions
    WHERE superseded_at IS NULL
    UNION ALL
    SELECT 'profile', record_id, account_id, platform, seen_after, true, name, description
    FROM profiles
    WHERE superseded_at IS NULL
)
SELECT
    current.kind,
    current.record_id,
    current.account_id,
    accounts.name AS account,
    accounts.department,
    accounts.office,
    accounts.retention AS account_series,
    current.platform,
    current.published_at,
    CASE WHEN current.author_is_account THEN 'account' ELSE 'public' END AS author,
    concat_ws(chr(10), current.title, current.text) AS words
FROM current
LEFT JOIN audit_accounts AS accounts USING (account_id);

CREATE TABLE audit_matches (kind VARCHAR, record_id VARCHAR, rule VARCHAR, series VARCHAR);

CREATE TABLE audit_held (kind VARCHAR, record_id VARCHAR, hold_id VARCHAR);

CREATE TABLE audit_hold_answers (hold_id VARCHAR, record_id VARCHAR);
