-- What each exchange showed of each record, in order, the state that follows, and whether it is another than before.
CREATE OR REPLACE TEMP TABLE events AS
SELECT
    family, record_id, told, told_order, sort_at, seen_at, evidence_key, evidence_offset, capture_id,
    max(row) AS row,
    arg_max(content_sha256, row) AS sha,
    arg_max(kind, row) AS row_kind,
    any_value(account_id) AS account_id,
    arg_max(root_id, row) AS root_id,
    arg_max(published_at, row) AS published_at,
    arg_max(state, row) AS shown,
    arg_max(state_basis, row) AS shown_basis,
    any_value(mark) AS mark,
    any_value(state_basis) FILTER (mark IS NOT NULL) AS mark_basis,
    max(mark_row) AS mark_row,
    bool_or(gate) AS gate,
    max(gate_row) AS gate_row,
    any_value(gate_root) AS gate_root,
    any_value(looked_before) AS looked_before
FROM parts
WHERE NOT told OR (source, row) NOT IN (SELECT (source, row) FROM told_again)
GROUP BY ALL;

-- A direct read that finds nothing outweighs the listings of the same capture.
CREATE OR REPLACE TEMP TABLE channels AS
SELECT
    event.*,
    event.row IS NOT NULL AND NOT event.told AS looked,
    CASE
        WHEN event.mark IS NOT NULL THEN event.mark
        WHEN event.row IS NULL OR event.told OR marked.record_id IS NOT NULL THEN NULL
        WHEN event.shown IN ('deleted', 'unavailable') THEN event.shown
        ELSE 'present'
    END AS presence
FROM events AS event
LEFT JOIN (
    SELECT DISTINCT family, record_id, capture_id
    FROM parts
    WHERE mark IS NOT NULL AND family <> 'moderation_action'
) AS marked USING (family, record_id, capture_id);

CREATE OR REPLACE TEMP TABLE steps AS
WITH moments AS (
    SELECT
        channel.family, channel.record_id, channel.sort_at, channel.told_order, channel.seen_at,
        channel.capture_id, channel.evidence_key, channel.evidence_offset,
        channel.row, channel.shown_basis, channel.mark, channel.mark_basis, channel.mark_row,
        channel.gate, channel.gate_row, channel.looked_before,
        coalesce(head.version, 0) AS head_version,
        if(head.version > 0, head.state, NULL) AS head_state,
        if(head.version > 0, head.content_sha256, NULL) AS head_sha,
        coalesce(last_value(channel.row_kind IGNORE NULLS) OVER so_far, head.kind) AS kind_now,
        coalesce(last_value(channel.account_id IGNORE NULLS) OVER so_far, head.account_id) AS account_now,
        coalesce(last_value(channel.root_id IGNORE NULLS) OVER so_far, head.root_id) AS root_now,
        coalesce(last_value(channel.published_at IGNORE NULLS) OVER so_far, head.published_at) AS published_now,
        coalesce(last_value(channel.sha IGNORE NULLS) OVER so_far, head.content_sha256) AS sha_now,
        coalesce(last_value(channel.presence IGNORE NULLS) OVER so_far, head.presence, 'present') AS presence_now,
        coalesce(last_value(if(channel.looked, channel.shown = 'hidden', NULL) IGNORE NULLS) OVER so_far, head.held, false)
            AS held_now,
        coalesce(last_value(channel.gate IGNORE NULLS) OVER so_far, head.gate_hidden, false) AS gate_now,
        coalesce(last_value(channel.gate_root IGNORE NULLS) OVER so_far, head.gate_root) AS gate_root_now,
        coalesce(max(if(channel.looked, channel.seen_at, NULL)) OVER earlier, head.content_at) AS content_before,
        coalesce(max(if(channel.presence IS NULL, NULL, channel.seen_at)) OVER earlier, head.presence_at)
            AS presence_before,
        greatest(max(if(channel.looked, channel.seen_at, NULL)) OVER so_far, head.content_at) AS content_now_at,
        greatest(max(if(channel.presence IS NULL, NULL, channel.seen_at)) OVER so_far, head.presence_at)
            AS presence_now_at,
        greatest(max(channel.seen_at) OVER so_far, head.last_seen) AS seen_now
    FROM channels AS channel
    LEFT JOIN heads AS head USING (family, record_id)
    WINDOW
        so_far AS (
            PARTITION BY channel.family, channel.record_id
            ORDER BY channel.sort_at, channel.evidence_key, channel.evidence_offset, channel.told_order
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ),
        earlier AS (
            PARTITION BY channel.family, channel.record_id
            ORDER BY channel.sort_at, channel.evidence_key, channel.evidence_offset, channel.told_order
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
states AS (
    SELECT
        *,
        CASE
            WHEN presence_now IN ('deleted', 'unavailable') THEN presence_now
            WHEN held_now OR gate_now THEN 'hidden'
            ELSE 'present'
        END AS state_now
    FROM moments
),
compared AS (
    SELECT
        *,
        coalesce(if(lag(sha_now) OVER record IS NULL, NULL, lag(state_now) OVER record), head_state) AS state_before,
        coalesce(lag(sha_now) OVER record, head_sha) AS sha_before,
        lead(seen_at) OVER record IS NULL AS final
    FROM states
    WINDOW record AS (PARTITION BY family, record_id ORDER BY sort_at, evidence_key, evidence_offset, told_order)
),
weighed AS (
    SELECT
        * EXCLUDE (head_state, head_sha),
        sha_now IS NOT NULL
            AND (state_before IS NULL OR state_before <> state_now OR sha_before <> sha_now) AS changed
    FROM compared
)
-- What a row without content of its own carries on is the content of the version before, not of the last look.
SELECT
    *,
    last_value(if(changed, row, NULL) IGNORE NULLS) OVER so_far AS row_now,
    head_version + count(*) FILTER (changed) OVER so_far AS version
FROM weighed
WINDOW so_far AS (
    PARTITION BY family, record_id ORDER BY sort_at, evidence_key, evidence_offset, told_order
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
);
