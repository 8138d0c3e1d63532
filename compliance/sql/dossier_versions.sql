SELECT
    * EXCLUDE (record_key),
    CASE WHEN change IN ('deleted', 'unavailable') THEN cause_of_loss(platform, author_is_account, state_basis) END AS cause
FROM versions
WHERE record_key = hash(CAST($record AS VARCHAR)) AND record_id = $record
ORDER BY version;
