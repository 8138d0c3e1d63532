-- Records that all looks of the batch show alike, with nothing unsettled about them: almost all. They need no ordering.
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

CREATE OR REPLACE TEMP TABLE plain AS
SELECT
    look.place, look.source, look.row, look.family, look.kind, look.record_id,
    coalesce(look.account_id, head.account_id) AS account_id,
    coalesce(look.root_id, head.root_id) AS root_id,
    coalesce(look.published_at, head.published_at) AS published_at,
    look.state AS shown, look.state_basis AS shown_basis, look.content_sha256, look.seen_at, grouped.seen_last,
    head.version AS head_version,
    head.state AS state_before,
    head.content_sha256 AS sha_before,
    head.content_at AS content_before,
    head.presence_at AS presence_before,
    coalesce(head.gate_hidden, false) AS gate_hidden,
    head.gate_root,
    CASE
        WHEN look.state IN ('deleted', 'unavailable') THEN look.state
        WHEN look.state = 'hidden' OR head.gate_hidden THEN 'hidden'
        ELSE 'present'
    END AS state_now,
    CASE
        WHEN coalesce(head.version, 0) = 0 THEN 'first_seen'
        WHEN head.state <> state_now AND state_now = 'present' THEN 'shown'
        WHEN head.state <> state_now THEN state_now
        WHEN head.content_sha256 <> look.content_sha256 THEN 'edited'
    END AS change
FROM grouped
JOIN all_looks AS look USING (place)
LEFT JOIN heads AS head ON head.family = look.family AND head.record_id = look.record_id
WHERE look.record_id NOT IN (SELECT record_id FROM intricate);

-- Where every record is plain, so is every look.
CREATE OR REPLACE TEMP TABLE looks AS
FROM all_looks
WHERE record_id IN (SELECT record_id FROM intricate);
