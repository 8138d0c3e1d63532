SELECT record_id, action, version, change, state, subject_id, reason, seen_before, seen_after
FROM moderation_actions;
