-- example: SELECT version, change, seen_before, seen_after, text FROM versions WHERE record_id = $record ORDER BY version
CREATE VIEW versions AS
SELECT 'post' AS kind, account, posts.* EXCLUDE (account) FROM posts
UNION ALL
SELECT 'comment' AS kind, account, comments.* EXCLUDE (account) FROM comments;

COMMENT ON VIEW versions IS 'Every version of every post and comment: the whole history.';
COMMENT ON COLUMN versions.kind IS 'post or comment.';
