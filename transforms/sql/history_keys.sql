SELECT family, record_id FROM all_looks
UNION ALL
SELECT family, record_id FROM marks
UNION ALL
SELECT 'gate', root_id FROM gates
UNION ALL
SELECT 'record', unnest(hidden_ids) FROM gates
UNION ALL
SELECT 'moderation_action', hide_id(hidden_id) FROM (SELECT unnest(hidden_ids) AS hidden_id FROM gates);
