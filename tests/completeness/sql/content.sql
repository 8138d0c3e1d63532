SELECT
    versions.record_id,
    versions.kind,
    versions.version,
    versions.change,
    versions.state,
    versions.text,
    versions.source_visibility,
    list_transform(versions.attachments, lambda file: file.media_id) AS files,
    versions.seen_before,
    versions.seen_after,
    deletions.cause
FROM versions
LEFT JOIN deletions USING (record_id, version);
