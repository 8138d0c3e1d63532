-- The accounts the mart knows, and how many days of each it can speak of.
SELECT accounts.name AS account, accounts.account_id, accounts.status, count(account_days.day) AS days
FROM accounts
LEFT JOIN account_days USING (account_id)
GROUP BY ALL
ORDER BY account
