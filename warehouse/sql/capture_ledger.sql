-- example: SELECT account, resource, started_at, items, records, new, changed, gone, unchanged, quarantined FROM capture_ledger ORDER BY started_at DESC
-- example: SELECT account, resource, started_at, unaccounted FROM capture_ledger WHERE unaccounted <> 0
CREATE VIEW capture_ledger AS
SELECT
    accounts.name AS account,
    captures.account_id,
    captures.platform,
    captures.resource,
    captures.capture_id,
    captures.started_at,
    captures.ended_at,
    captures.since,
    captures.outcome,
    captures.message,
    captures.pages,
    captures.items,
    captures.platform_total,
    counts.records + counts.quarantined + counts.skipped_items AS seen,
    counts.records,
    counts.new,
    counts.changed,
    counts.unchanged,
    counts.gone,
    counts.absent,
    counts.quarantined,
    counts.skipped_items,
    captures.skipped,
    counts.without_row + counts.without_look AS unaccounted,
    counts.looks - counts.records AS repeated
FROM captures
JOIN capture_counts AS counts USING (capture_id)
LEFT JOIN accounts USING (account_id);

COMMENT ON VIEW capture_ledger IS 'Every look with its counts. What was seen is new, changed, unchanged, gone, absent, quarantined or skipped; what is not is unaccounted, and listed by item in the view unreconciled.';
COMMENT ON COLUMN capture_ledger.account IS 'Name of the City-supported account in the registry.';
COMMENT ON COLUMN capture_ledger.items IS 'Times a page named something, as the connector counts: what two pages name counts twice, what only comes along (an earlier version, a view beside a record) not at all.';
COMMENT ON COLUMN capture_ledger.seen IS 'Records looked at, and items quarantined or skipped.';
COMMENT ON COLUMN capture_ledger.unaccounted IS 'Records looked at that no table holds, and versions that no look shows; 0 where everything reconciles.';
COMMENT ON COLUMN capture_ledger.repeated IS 'Looks at a record that the same capture had looked at before.';
