-- The looks at each resource of one account.
SELECT resource, last_complete_at, last_tried_at, last_outcome, last_error
FROM capture_freshness
WHERE account = $account
ORDER BY resource
