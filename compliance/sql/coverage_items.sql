-- What does not reconcile, item by item. A null parameter is no limit.
SELECT *
FROM unreconciled
WHERE $account IS NULL OR account = $account
ORDER BY account, account_id, what, record_id, capture_id
