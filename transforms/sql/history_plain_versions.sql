SELECT
    family, kind, record_id, source, row, true AS own, NULL::BIGINT AS mark_row, NULL::BIGINT AS gate_row,
    head_version,
    (coalesce(head_version, 0) + 1)::INTEGER AS version,
    change,
    state_now AS state,
    if(state_now = 'hidden' AND shown <> 'hidden', 'thread_gate', shown_basis) AS state_basis,
    CASE
        WHEN change = 'first_seen' THEN NULL
        WHEN change IN ('deleted', 'unavailable') THEN presence_before
        ELSE content_before
    END AS seen_before,
    seen_at AS seen_after
FROM plain
WHERE change IS NOT NULL
ORDER BY place;
