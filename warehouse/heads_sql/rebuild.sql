-- The last version of every record and its last looks, from the tables alone.
DELETE FROM heads;

CREATE OR REPLACE TEMP TABLE bare AS
WITH versions AS (
    SELECT 'post' AS kind, record_id, account_id, root_id, version, state, content_sha256, published_at, seen_after
    FROM {posts}
    UNION ALL BY NAME
    SELECT 'comment' AS kind, record_id, account_id, root_id, version, state, content_sha256, published_at, seen_after
    FROM {comments}
    UNION ALL BY NAME
    SELECT 'moderation_action' AS kind, record_id, account_id, version, state, content_sha256, seen_after
    FROM {moderation_actions}
    UNION ALL BY NAME
    SELECT 'profile' AS kind, record_id, account_id, version, state, content_sha256, seen_after
    FROM {profiles}
),
last_versions AS (
    SELECT
        family_of(kind) AS family,
        record_id,
        max(version) AS version,
        arg_max(
            struct_pack(
                kind := kind,
                account_id := account_id,
                root_id := root_id,
                state := state,
                content_sha256 := content_sha256,
                published_at := published_at
            ),
            version
        ) AS last,
        max(seen_after) AS seen_after
    FROM versions
    GROUP BY ALL
),
sightings AS (
    SELECT *, family_of(kind) AS family, content_sha256 IS NOT NULL AND state <> 'edit_history' AS looked
    FROM {sightings}
),
marked AS (
    SELECT DISTINCT family, record_id, capture_id
    FROM sightings
    WHERE content_sha256 IS NULL AND state IN ('deleted', 'unavailable') AND family <> 'moderation_action'
),
looks AS (
    SELECT
        family,
        record_id,
        max(seen_at) AS last_seen,
        max(seen_at) FILTER (looked) AS content_at,
        coalesce(
            arg_max(state, (seen_at, evidence_key, evidence_offset)) FILTER (looked) = 'hidden', false
        ) AS held,
        arg_max(state, (seen_at, evidence_key, evidence_offset)) FILTER (
            content_sha256 IS NULL AND state IN ('deleted', 'unavailable')
        ) AS gone
    FROM sightings
    WHERE kind <> 'gate' OR state <> 'hidden'
    GROUP BY ALL
),
presences AS (
    SELECT family, record_id, max(seen_at) AS presence_at
    FROM (
        SELECT family, record_id, seen_at FROM sightings ANTI JOIN marked USING (family, record_id, capture_id) WHERE looked
        UNION ALL
        SELECT family, record_id, seen_at FROM sightings
        WHERE content_sha256 IS NULL AND state IN ('deleted', 'unavailable')
    )
    GROUP BY ALL
),
memberships AS (
    SELECT
        substr(record_id, instr(record_id, ' ') + 1) AS record_id,
        arg_max(split_part(record_id, ' ', 1), (seen_at, evidence_key, evidence_offset)) AS gate_root,
        max((seen_at, evidence_key, evidence_offset)) AS listed
    FROM sightings
    WHERE kind = 'gate' AND state = 'hidden'
    GROUP BY ALL
),
gates AS (
    SELECT record_id AS gate_root, max((seen_at, evidence_key, evidence_offset)) AS looked
    FROM sightings
    WHERE kind = 'gate' AND state = 'present'
    GROUP BY ALL
)
SELECT
    hash(record_id) AS h,
    family,
    record_id,
    last.kind,
    last.account_id,
    last.root_id,
    coalesce(version, 0) AS version,
    if(version IS NULL, gone, if(last.state IN ('deleted', 'unavailable'), last.state, 'present')) AS presence,
    coalesce(held, false) AS held,
    coalesce(listed = gates.looked, false) AND family = 'record' AS gate_hidden,
    if(family = 'record', gate_root, NULL) AS gate_root,
    last.state,
    last.content_sha256,
    last.published_at,
    content_at,
    presence_at,
    greatest(last_seen, seen_after) AS last_seen,
    0 AS unit
FROM last_versions
FULL JOIN looks USING (family, record_id)
LEFT JOIN presences USING (family, record_id)
LEFT JOIN memberships USING (record_id)
LEFT JOIN gates USING (gate_root);

CREATE OR REPLACE TEMP TABLE made AS FROM heads LIMIT 0;
