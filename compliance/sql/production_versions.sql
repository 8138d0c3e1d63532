-- Every version of everything that can be handed over, with the columns they share.
CREATE TEMP VIEW handed AS
SELECT
    'post' AS kind, record_id, version, account_id, platform, change, state, state_basis, published_at, platform_edited_at,
    seen_before, seen_after, author_id, author_handle, author_name, author_is_account, title, text, lang, parent_id, root_id, url, links,
    attachments, source_visibility, content_sha256, payload_sha256, evidence_key, evidence_offset, superseded_at,
    record_id AS thread_of
FROM posts
UNION ALL
SELECT
    'comment', record_id, version, account_id, platform, change, state, state_basis, published_at, platform_edited_at,
    seen_before, seen_after, author_id, author_handle, author_name, author_is_account, title, text, lang, parent_id, root_id, url, links,
    attachments, source_visibility, content_sha256, payload_sha256, evidence_key, evidence_offset, superseded_at,
    record_id
FROM comments
UNION ALL
SELECT
    'moderation_action', record_id, version, account_id, platform, change, state, state_basis, acted_at, NULL,
    seen_before, seen_after, actor_id, NULL, NULL, NULL, NULL, concat_ws(': ', action, reason), NULL, subject_id, NULL, NULL, NULL,
    NULL, NULL, content_sha256, payload_sha256, evidence_key, evidence_offset, superseded_at,
    subject_id
FROM moderation_actions
UNION ALL
SELECT
    'profile', record_id, version, account_id, platform, change, state, state_basis, NULL, NULL,
    seen_before, seen_after, account_id, handle, name, true, name, description, NULL, NULL, NULL, url, links,
    NULL, NULL, content_sha256, payload_sha256, evidence_key, evidence_offset, superseded_at,
    NULL
FROM profiles;
