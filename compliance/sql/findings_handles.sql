SELECT profiles.account_id, profiles.handle, profiles.seen_after
FROM profiles
WHERE profiles.superseded_at IS NULL AND profiles.handle IS NOT NULL AND profiles.state = 'present'
