-- What the thread gates tell of single replies: listed as hidden, or listed in the look before and no longer.
CREATE OR REPLACE TEMP TABLE gate_looks AS
SELECT gate.*, sighted.record_id IS NOT NULL AS known, head.last_seen
FROM (
    SELECT *
    FROM gates
    QUALIFY row_number() OVER (PARTITION BY root_id, seen_at, evidence_key, evidence_offset ORDER BY row DESC) = 1
) AS gate
LEFT JOIN heads AS head ON head.family = 'gate' AND head.record_id = gate.root_id
LEFT JOIN sighted
    ON sighted.kind = 'gate'
    AND sighted.state = 'present'
    AND sighted.record_id = gate.root_id
    AND sighted.seen_at = gate.seen_at
    AND sighted.evidence_key = gate.evidence_key
    AND sighted.evidence_offset = gate.evidence_offset;

CREATE OR REPLACE TEMP TABLE late_roots AS
SELECT DISTINCT root_id
FROM gate_looks
WHERE seen_at <= last_seen AND NOT known;

CREATE OR REPLACE TEMP TABLE gate_steps AS
SELECT
    row, root_id, account_id, hidden_ids, seen_at, capture_id, evidence_key, evidence_offset,
    lag(hidden_ids) OVER thread AS hidden_before,
    lag(row) OVER thread IS NULL AS first_of_batch,
    coalesce(lag(seen_at) OVER thread, last_seen) AS looked_before
FROM gate_looks
WHERE NOT known AND root_id NOT IN (SELECT root_id FROM late_roots)
WINDOW thread AS (PARTITION BY root_id ORDER BY seen_at, evidence_key, evidence_offset);

CREATE OR REPLACE TEMP TABLE gate_events AS
WITH listed AS (
    SELECT DISTINCT row, unnest(hidden_ids) AS record_id FROM gate_steps
),
before AS (
    SELECT DISTINCT row, unnest(hidden_before) AS record_id FROM gate_steps WHERE NOT first_of_batch
    UNION
    SELECT step.row, head.record_id
    FROM gate_steps AS step
    JOIN heads AS head ON head.gate_root = step.root_id AND head.gate_hidden
    WHERE step.first_of_batch
)
SELECT told.record_id, told.hidden, step.* EXCLUDE (hidden_ids, hidden_before, first_of_batch)
FROM (
    SELECT row, record_id, true AS hidden FROM listed
    UNION ALL
    SELECT row, record_id, false AS hidden FROM before ANTI JOIN listed USING (row, record_id)
) AS told
JOIN gate_steps AS step USING (row);
