-- example: SELECT day, coverage, lacking, posts, comments, captures FROM coverage_by_day WHERE account = $account ORDER BY day
-- example: SELECT account, count(*) AS days FROM coverage_by_day WHERE coverage = 'missing' GROUP BY account ORDER BY days DESC
CREATE VIEW coverage_by_day AS
SELECT accounts.name AS account, account_days.*
FROM account_days
LEFT JOIN accounts USING (account_id);

COMMENT ON VIEW coverage_by_day IS 'Every account by day (UTC), from its first look to the last day on which any account was looked at; days before the first look only where something of them is held. complete: each resource had a complete look that day, and no gap. recovered: some had a gap or no look, and a later look read what was still there. partial: some resources were not covered, or the history is not read back to that day. missing: nothing was covered, and no later look has made up for it.';
COMMENT ON COLUMN coverage_by_day.account IS 'Name of the City-supported account in the registry.';
