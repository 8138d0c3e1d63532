SELECT
    family, record_id, kind_now AS kind, account_now AS account_id, root_now AS root_id, version::INTEGER AS version,
    presence_now AS presence, held_now AS held, gate_now AS gate_hidden, gate_root_now AS gate_root,
    state_now AS state, sha_now AS content_sha256, published_now AS published_at,
    content_now_at AS content_at, presence_now_at AS presence_at, seen_now AS last_seen
FROM steps
WHERE final
UNION ALL BY NAME
SELECT
    'gate' AS family, root_id AS record_id, any_value(account_id) AS account_id, 0::INTEGER AS version,
    false AS held, false AS gate_hidden, max(seen_at) AS last_seen
FROM gate_steps
GROUP BY root_id;
