-- After the rules: what an account says itself, and no rule matches, belongs to the account's own series. Words of the public
-- never get a series this way.
INSERT INTO audit_matches
SELECT records.kind, records.record_id, 'account default', records.account_series
FROM audit_records AS records
ANTI JOIN audit_matches USING (kind, record_id)
WHERE records.author = 'account' AND records.account_series IS NOT NULL;
