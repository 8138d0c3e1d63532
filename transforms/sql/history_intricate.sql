-- Records with something unsettled about them, or that two looks of the batch show differently. All others need no ordering.
CREATE OR REPLACE TEMP TABLE late (family VARCHAR, record_id VARCHAR);

CREATE OR REPLACE TEMP TABLE intricate AS
SELECT DISTINCT record_id
FROM (
    SELECT record_id FROM suspects
    UNION ALL
    SELECT record_id FROM marks
    UNION ALL
    SELECT unnest([hidden_id, hide_id(hidden_id)]) FROM (SELECT unnest(hidden_ids) AS hidden_id FROM gates)
    UNION ALL
    SELECT unnest([record_id, hide_id(record_id)]) FROM heads WHERE gate_root IN (SELECT root_id FROM gates)
);

CREATE OR REPLACE TEMP TABLE grouped AS
SELECT family, record_id, count(*) AS looks, min(place) AS place, max(seen_at) AS seen_last, bool_or(told) AS told
FROM all_looks
GROUP BY family, record_id;

INSERT INTO intricate
SELECT record_id
FROM all_looks
WHERE record_id IN (SELECT record_id FROM grouped WHERE looks > 1 OR told)
GROUP BY family, record_id
HAVING bool_or(told)
    OR min(content_sha256) <> max(content_sha256)
    OR min(state) <> max(state)
    OR min(seen_at) = max(seen_at)
    OR arg_min(place, seen_at) <> min(place);

CREATE OR REPLACE TEMP TABLE looks AS
FROM all_looks
WHERE record_id IN (SELECT record_id FROM intricate);
