SELECT
    family, record_id, kind, account_id, root_id,
    (coalesce(head_version, 0) + if(change IS NULL, 0, 1))::INTEGER AS version,
    if(state_now IN ('deleted', 'unavailable'), state_now, 'present') AS presence,
    shown = 'hidden' AS held,
    gate_hidden,
    gate_root,
    state_now AS state,
    content_sha256,
    published_at,
    seen_last AS content_at,
    seen_last AS presence_at,
    seen_last AS last_seen
FROM plain;
