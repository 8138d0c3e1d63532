-- What was done to the record, its author, the thread it stands in, or the server its author is on; at a moment, where one is given.
SELECT
    CASE subject_id WHEN $record THEN 'record' WHEN $author THEN 'author' WHEN $root THEN 'thread' ELSE 'server' END AS concerns,
    account,
    -- a moderation service is named by its id, the City by the account's name
    if(actor_id IS NULL OR ends_with(account_id, ':' || actor_id), account, actor_id) AS acted_by,
    record_id,
    action,
    state = 'present' AS in_force,
    change,
    reason,
    actor_id,
    acted_at,
    seen_before,
    seen_after,
    superseded_at,
    subject_id,
    evidence_key,
    evidence_offset
FROM moderation_actions
WHERE
    subject_id IN ($record, $author, $root, $server)
    AND (
        CAST($moment AS TIMESTAMPTZ) IS NULL
        OR (seen_after <= CAST($moment AS TIMESTAMPTZ) AND (superseded_at IS NULL OR superseded_at > CAST($moment AS TIMESTAMPTZ)))
    )
ORDER BY seen_after, record_id, version;
