-- How long things were seen to live: of each account that is asked for, of each platform, and of all.
SELECT
    account_id,
    platform,
    kind,
    entry_seconds,
    lower_seconds,
    upper_seconds,
    sum(items)::BIGINT AS items
FROM lifetimes
GROUP BY GROUPING SETS (
    (account_id, platform, kind, entry_seconds, lower_seconds, upper_seconds),
    (platform, kind, entry_seconds, lower_seconds, upper_seconds),
    (kind, entry_seconds, lower_seconds, upper_seconds)
)
HAVING account_id IS NULL OR $account_id IS NULL OR account_id = $account_id
ORDER BY ALL
