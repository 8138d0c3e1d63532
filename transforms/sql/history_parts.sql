-- Everything observed of single records, whatever channel showed it; what is known already is left out.
CREATE OR REPLACE TEMP TABLE all_parts AS
WITH gathered AS (
    SELECT
        family, record_id, kind, account_id, root_id, published_at, seen_at, capture_id, evidence_key, evidence_offset,
        told, if(told, row, 0) AS told_order,
        if(told, least(seen_at, coalesce(platform_edited_at, published_at, seen_at)), seen_at) AS sort_at,
        source, row, content_sha256, if(told, 'edit_history', state) AS state, state_basis
    FROM looks
    UNION ALL BY NAME
    SELECT
        family, record_id, kind, account_id, seen_at, capture_id, evidence_key, evidence_offset,
        false AS told, 0 AS told_order, seen_at AS sort_at,
        state, state_basis, state AS mark, row AS mark_row
    FROM marks
    UNION ALL BY NAME
    SELECT
        'record' AS family, record_id, account_id, seen_at, capture_id, evidence_key, evidence_offset,
        false AS told, 0 AS told_order, seen_at AS sort_at,
        if(hidden, 'hidden', 'present') AS state, 'thread_gate' AS state_basis,
        hidden AS gate, row AS gate_row, root_id AS gate_root, looked_before
    FROM gate_events
    UNION ALL BY NAME
    SELECT
        'moderation_action' AS family, hide_id(record_id) AS record_id, 'moderation_action' AS kind, account_id,
        seen_at, capture_id, evidence_key, evidence_offset,
        false AS told, 0 AS told_order, seen_at AS sort_at,
        'deleted' AS state, 'thread_gate' AS state_basis, 'deleted' AS mark, row AS gate_row
    FROM gate_events
    WHERE NOT hidden
)
SELECT part.*, head.last_seen, coalesce(head.version, 0) AS head_version, head.record_id IS NOT NULL AS headed
FROM gathered AS part
LEFT JOIN heads AS head USING (family, record_id);

CREATE OR REPLACE TEMP TABLE new_parts AS
FROM all_parts AS part
ANTI JOIN sighted
    ON sighted.record_id = part.record_id
    AND family_of(sighted.kind) = part.family
    AND sighted.state = part.state
    AND sighted.seen_at = part.seen_at
    AND sighted.evidence_key = part.evidence_key
    AND sighted.evidence_offset = part.evidence_offset
    AND sighted.content_sha256 IS NOT DISTINCT FROM part.content_sha256;

-- A version told afterwards counts once, and only where no earlier look showed or told the same content.
CREATE OR REPLACE TEMP TABLE told_again AS
SELECT part.row, part.source
FROM new_parts AS part
WHERE part.told
  AND (
    EXISTS (
        SELECT 1 FROM all_parts AS other
        WHERE other.family = part.family AND other.record_id = part.record_id
          AND other.content_sha256 = part.content_sha256
          AND (
            (NOT other.told AND other.seen_at <= part.seen_at)
            OR (
                other.told
                AND (other.seen_at, other.evidence_key, other.evidence_offset, other.row)
                    < (part.seen_at, part.evidence_key, part.evidence_offset, part.row)
            )
          )
    )
    OR EXISTS (
        SELECT 1 FROM sighted AS other
        WHERE family_of(other.kind) = part.family AND other.record_id = part.record_id
          AND other.content_sha256 = part.content_sha256
          AND (
            (other.state <> 'edit_history' AND other.seen_at <= part.seen_at)
            OR (
                other.state = 'edit_history'
                AND (other.seen_at, other.evidence_key, other.evidence_offset)
                    < (part.seen_at, part.evidence_key, part.evidence_offset)
            )
          )
    )
  );

CREATE OR REPLACE TEMP TABLE late AS
WITH behind AS (
    SELECT family, record_id, gate_root
    FROM new_parts AS part
    WHERE headed
      AND CASE
            WHEN told THEN
                sort_at <= last_seen
                AND (source, row) NOT IN (SELECT (source, row) FROM told_again)
            ELSE seen_at <= last_seen
          END
    UNION ALL
    SELECT part.family, part.record_id, part.gate_root
    FROM new_parts AS part
    JOIN sighted AS other
        ON family_of(other.kind) = part.family
        AND other.record_id = part.record_id
        AND other.capture_id = part.capture_id
    WHERE part.family <> 'moderation_action'
      AND (
        (part.mark IS NOT NULL AND other.content_sha256 IS NOT NULL AND other.state <> 'edit_history')
        OR (part.row IS NOT NULL AND NOT part.told AND other.state IN ('deleted', 'unavailable'))
      )
)
SELECT family, record_id FROM behind
UNION
SELECT 'record', metric.record_id
FROM metrics AS metric
JOIN known_metrics AS known USING (record_id, name)
JOIN new_parts AS part
    ON part.family = 'record' AND part.record_id = metric.record_id AND part.seen_at = metric.seen_at
WHERE metric.seen_at <= known.seen_at
UNION
SELECT 'moderation_action', hide_id(record_id) FROM behind WHERE gate_root IS NOT NULL
UNION
SELECT 'gate', root_id FROM late_roots
UNION
SELECT unnest(['record', 'moderation_action']), unnest([listed.record_id, hide_id(listed.record_id)])
FROM (
    SELECT unnest(hidden_ids) AS record_id FROM gate_looks WHERE root_id IN (SELECT root_id FROM late_roots)
    UNION
    SELECT record_id FROM heads WHERE gate_root IN (SELECT root_id FROM late_roots)
) AS listed;

CREATE OR REPLACE TEMP TABLE parts AS
FROM new_parts ANTI JOIN late USING (family, record_id);
