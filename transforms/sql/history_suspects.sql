-- Records of which an observation may be known already, came late, or carries content on: what was seen of them is looked up.
SELECT look.record_id, head.fresh
FROM all_looks AS look
JOIN heads AS head USING (family, record_id)
WHERE look.told
   OR look.seen_at <= head.last_seen
   OR head.presence IN ('deleted', 'unavailable')
UNION
SELECT mark.record_id, head.fresh
FROM marks AS mark
JOIN heads AS head USING (family, record_id)
WHERE mark.seen_at <= head.last_seen
   OR head.version > 0
UNION
SELECT gate.root_id, head.fresh
FROM gates AS gate
JOIN heads AS head ON head.family = 'gate' AND head.record_id = gate.root_id
WHERE gate.seen_at <= head.last_seen
UNION
SELECT head.record_id, head.fresh
FROM (SELECT unnest(hidden_ids) AS record_id, seen_at FROM gates) AS listed
JOIN heads AS head ON head.family = 'record' AND head.record_id = listed.record_id
WHERE listed.seen_at <= head.last_seen
   OR (head.version > 0 AND NOT head.gate_hidden)
UNION
SELECT head.record_id, head.fresh
FROM gates AS gate
JOIN heads AS hidden ON hidden.gate_root = gate.root_id AND hidden.gate_hidden
JOIN heads AS head
    ON (head.family = 'record' AND head.record_id = hidden.record_id)
    OR (head.family = 'moderation_action' AND head.record_id = hide_id(hidden.record_id))
UNION
SELECT metric.record_id, head.fresh
FROM metrics AS metric
JOIN known_metrics AS known USING (record_id, name)
JOIN heads AS head ON head.family = 'record' AND head.record_id = metric.record_id
WHERE metric.seen_at <= known.seen_at;
