-- example: SELECT account, action, began_after, began_before, ended_after, ended_before FROM moderation_intervals ORDER BY began_before DESC
CREATE VIEW moderation_intervals AS
WITH turns AS (
    SELECT *
    FROM moderation_actions
    QUALIFY (state = 'present') IS DISTINCT FROM lag(state = 'present') OVER (PARTITION BY record_id ORDER BY version)
),
spans AS (
    SELECT
        turns.*,
        own.resource,
        turns.action IN ('label', 'takedown') AS is_label,
        lead(turns.seen_before) OVER step AS ended_after,
        lead(turns.seen_after) OVER step AS ended_before
    FROM turns
    LEFT JOIN captures AS own ON own.capture_id = turns.capture_id
    WINDOW step AS (PARTITION BY turns.record_id ORDER BY turns.version)
),
-- A complete look at the lists of moderation that did not show an action says that it was not in force. Of labels it does not: a service that
-- was not asked then may have given it. They bear the time their service tells.
lists AS (
    SELECT account_id, resource, started_at, ended_at, false AS is_label
    FROM captures
    WHERE resource = 'moderation'
        AND outcome = 'complete'
        AND len(list_filter(coalesce(json_keys(skipped), []), lambda reason: NOT starts_with(reason, 'label'))) = 0
)
SELECT
    spans.account,
    spans.account_id,
    spans.platform,
    spans.record_id,
    spans.action,
    spans.subject_id,
    spans.reason,
    spans.actor_id,
    spans.acted_at,
    coalesce(spans.seen_before, lists.started_at) AS began_after,
    spans.seen_after AS began_before,
    spans.ended_after,
    spans.ended_before,
    spans.ended_before IS NULL AS in_force,
    spans.evidence_key,
    spans.evidence_offset
FROM spans
ASOF LEFT JOIN lists
    ON lists.account_id = spans.account_id
    AND lists.resource = spans.resource
    AND lists.is_label = spans.is_label
    AND lists.ended_at < spans.seen_after
WHERE spans.state = 'present';

COMMENT ON VIEW moderation_intervals IS 'One row per time a moderation action was in force, with the tightest bounds the looks allow for when it began and when it ended.';
COMMENT ON COLUMN moderation_intervals.began_after IS 'It was not in force then; null where no look tells.';
COMMENT ON COLUMN moderation_intervals.began_before IS 'First time it was seen in force.';
COMMENT ON COLUMN moderation_intervals.ended_after IS 'Last time it was seen in force; null while it is.';
COMMENT ON COLUMN moderation_intervals.ended_before IS 'First time it was seen no longer in force; null while it is.';
COMMENT ON COLUMN moderation_intervals.in_force IS 'Whether it was in force when last looked at.';
