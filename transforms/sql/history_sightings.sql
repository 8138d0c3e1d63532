-- Every look at every record. Where a look does not tell a record's kind, what was known before it does.
WITH untold AS (
    SELECT DISTINCT family, record_id FROM parts WHERE kind IS NULL
),
guessed AS (
    SELECT
        part.*,
        coalesce(
            last_value(part.kind IGNORE NULLS) OVER (
                PARTITION BY part.family, part.record_id
                ORDER BY part.seen_at, part.evidence_key, part.evidence_offset, part.kind IS NULL
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            head.kind,
            if(part.gate IS NULL, 'post', 'comment')
        ) AS kind_then
    FROM parts AS part
    JOIN untold USING (family, record_id)
    LEFT JOIN heads AS head USING (family, record_id)
)
SELECT DISTINCT record_id, kind, seen_at, state, content_sha256, capture_id, evidence_key, evidence_offset
FROM parts
ANTI JOIN untold USING (family, record_id)
UNION
SELECT DISTINCT record_id, kind_then, seen_at, state, content_sha256, capture_id, evidence_key, evidence_offset
FROM guessed
UNION
SELECT root_id, 'gate', seen_at, 'present', NULL, capture_id, evidence_key, evidence_offset
FROM gate_steps
UNION
SELECT root_id || ' ' || hidden_id, 'gate', seen_at, 'hidden', NULL, capture_id, evidence_key, evidence_offset
FROM (SELECT *, unnest(hidden_ids) AS hidden_id FROM gate_steps);
