-- example: SELECT account, action, in_force, seen_after, subject_author, subject_text FROM moderation_log ORDER BY seen_after DESC
CREATE VIEW moderation_log AS
SELECT
    actions.account,
    actions.account_id,
    actions.platform,
    actions.record_id,
    actions.action,
    actions.state = 'present' AS in_force,
    actions.change,
    actions.reason,
    actions.actor_id,
    actions.acted_at,
    actions.seen_before,
    actions.seen_after,
    actions.subject_id,
    records.author_handle AS subject_author,
    records.text AS subject_text,
    actions.evidence_key,
    actions.evidence_offset
FROM moderation_actions AS actions
LEFT JOIN records ON records.record_id = actions.subject_id
WHERE actions.superseded_at IS NULL;

COMMENT ON VIEW moderation_log IS 'Every moderation action the archive knows of, in its latest state, with what it acts on.';
COMMENT ON COLUMN moderation_log.in_force IS 'Whether it was in force when last looked at.';
COMMENT ON COLUMN moderation_log.subject_author IS 'Handle of the author of what it acts on.';
COMMENT ON COLUMN moderation_log.subject_text IS 'Text of what it acts on, in its latest known version.';
