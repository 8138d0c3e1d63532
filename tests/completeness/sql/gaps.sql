SELECT account_id, resource, cause, opened_at, closed_at
FROM gaps
ORDER BY opened_at;
