SELECT family, record_id FROM all_looks
UNION
SELECT family, record_id FROM marks
UNION
SELECT 'gate', root_id FROM gates
UNION
SELECT 'record', unnest(hidden_ids) FROM gates
UNION
SELECT 'moderation_action', hide_id(hidden_id) FROM (SELECT unnest(hidden_ids) AS hidden_id FROM gates)
UNION
SELECT 'record', record_id FROM metrics;
