-- The last counts of some records.
SELECT record_id, told.name, told.value, told.seen_at
FROM (SELECT record_id, unnest(counts) AS told FROM known WHERE family = 'record' AND record_id IN (SELECT record_id FROM ids));
