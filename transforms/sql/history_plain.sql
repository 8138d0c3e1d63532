-- For every other record: what was known, beside the first look of the batch at it.
SELECT
    grouped.place,
    grouped.seen_last,
    coalesce(head.version, 0)::INTEGER AS head_version,
    head.state AS state_before,
    head.content_sha256 AS sha_before,
    head.content_at AS content_before,
    head.presence_at AS presence_before,
    coalesce(head.gate_hidden, false) AS gate_hidden,
    head.gate_root
FROM grouped
LEFT JOIN heads AS head USING (family, record_id)
WHERE grouped.record_id NOT IN (SELECT record_id FROM intricate)
ORDER BY grouped.place;
