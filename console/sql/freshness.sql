-- The looks at each resource of one account.
SELECT resource, looks, last_complete_at, last_tried_at, last_outcome, gap_since, last_error_at, last_error
FROM capture_freshness
WHERE account = $account
ORDER BY list_position(['profile', 'posts', 'comments', 'moderation'], resource), resource
