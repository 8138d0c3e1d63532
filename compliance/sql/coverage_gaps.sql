-- Gaps that touch the days. A null parameter is no limit.
SELECT *
FROM gap_recovery
WHERE
    ($account IS NULL OR account = $account)
    AND opened_at < CAST($last AS DATE) + 1
    AND (closed_at IS NULL OR closed_at >= CAST($first AS DATE))
ORDER BY account, account_id, opened_at, resource
