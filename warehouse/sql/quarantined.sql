-- example: SELECT account, call, reason, items, last_seen_at FROM quarantined ORDER BY items DESC
CREATE VIEW quarantined AS
SELECT
    accounts.name AS account,
    account_id,
    quarantine.platform,
    quarantine.call,
    quarantine.reason,
    count(*) AS items,
    min(quarantine.seen_at) AS first_seen_at,
    max(quarantine.seen_at) AS last_seen_at,
    max_by(quarantine.detail, quarantine.seen_at) AS last_detail
FROM quarantine
LEFT JOIN accounts USING (account_id)
GROUP BY ALL;

COMMENT ON VIEW quarantined IS 'Items that could not be read, by account, call and reason. Their bytes are safe in the evidence.';
COMMENT ON COLUMN quarantined.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN quarantined.items IS 'How many items.';
COMMENT ON COLUMN quarantined.first_seen_at IS 'When the platform first sent one.';
COMMENT ON COLUMN quarantined.last_seen_at IS 'When the platform last sent one.';
COMMENT ON COLUMN quarantined.last_detail IS 'Where and what was wrong with the last one, without its content.';
