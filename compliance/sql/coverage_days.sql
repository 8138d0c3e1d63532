-- Day by day. A null parameter is no limit.
SELECT *
FROM coverage_by_day
WHERE
    ($account IS NULL OR account = $account)
    AND day >= CAST($first AS DATE)
    AND day <= CAST($last AS DATE)
ORDER BY account, account_id, day
