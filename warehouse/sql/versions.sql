-- example: SELECT version, change, seen_before, seen_after, text FROM versions WHERE record_id = $record ORDER BY version
CREATE VIEW versions AS
SELECT 'post' AS kind, accounts.name AS account, posts.*
FROM posts LEFT JOIN accounts USING (account_id)
UNION ALL
SELECT 'comment' AS kind, accounts.name AS account, comments.*
FROM comments LEFT JOIN accounts USING (account_id);

COMMENT ON VIEW versions IS 'Every version of every post and comment: the whole history.';
COMMENT ON COLUMN versions.kind IS 'post or comment.';
COMMENT ON COLUMN versions.account IS 'Name of the City-supported account in the registry.';
