-- example: SELECT account, resource, cause, opened_at, closed_at, recovered_records, found_changes FROM gap_recovery ORDER BY opened_at
CREATE VIEW gap_recovery AS
SELECT
    accounts.name AS account,
    gaps.account_id,
    gaps.resource,
    gaps.cause,
    gaps.opened_at,
    gaps.closed_at,
    gaps.gap_id,
    gaps.capture_id,
    counts.closed_by,
    counts.records AS recovered_records,
    counts.changes AS found_changes,
    told.never AS unrecoverable
FROM gaps
JOIN gap_counts AS counts USING (gap_id)
LEFT JOIN accounts USING (account_id)
LEFT JOIN platform_resources AS told ON told.platform = split_part(gaps.account_id, ':', 1) AND told.resource = gaps.resource;

COMMENT ON VIEW gap_recovery IS 'Every gap with what later looks brought of it, and what they cannot bring.';
COMMENT ON COLUMN gap_recovery.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN gap_recovery.closed_by IS 'The look that closed it.';
COMMENT ON COLUMN gap_recovery.recovered_records IS 'Posts or comments published in the gap and first seen after it.';
COMMENT ON COLUMN gap_recovery.found_changes IS 'Edits, hides, deletions and the like that the look which closed the gap found: they may have happened in it.';
COMMENT ON COLUMN gap_recovery.unrecoverable IS 'What the platform never tells of the resource, neither in a gap nor outside.';
