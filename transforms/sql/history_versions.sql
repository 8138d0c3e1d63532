WITH named AS (
    SELECT
        *,
        CASE
            WHEN state_before IS NULL THEN 'first_seen'
            WHEN state_before = state_now THEN 'edited'
            WHEN state_now IN ('deleted', 'unavailable') THEN state_now
            WHEN state_before IN ('deleted', 'unavailable') THEN 'restored'
            WHEN state_now = 'hidden' THEN 'hidden'
            ELSE 'shown'
        END AS change
    FROM steps
    WHERE changed
)
SELECT
    family,
    coalesce(kind_now, 'post') AS kind,
    record_id,
    row_now AS row,
    row IS NOT NULL AS own,
    mark_row,
    gate_row,
    head_version::INTEGER AS head_version,
    version::INTEGER AS version,
    change,
    state_now AS state,
    CASE
        WHEN state_now = 'hidden' AND NOT held_now THEN 'thread_gate'
        WHEN row IS NOT NULL THEN shown_basis
        WHEN mark IS NOT NULL THEN mark_basis
        ELSE 'thread_gate'
    END AS state_basis,
    CASE
        WHEN change = 'first_seen' THEN if(family = 'moderation_action', presence_before, NULL)
        WHEN change = 'edited' THEN content_before
        WHEN change IN ('hidden', 'shown') AND gate IS NOT NULL THEN looked_before
        WHEN change IN ('hidden', 'shown') THEN content_before
        ELSE presence_before
    END AS seen_before,
    seen_at AS seen_after,
    capture_id,
    evidence_key,
    evidence_offset
FROM named
ORDER BY kind, row_now, version;
