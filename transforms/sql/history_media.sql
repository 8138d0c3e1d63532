SELECT file.row
FROM media AS file
ANTI JOIN known_media AS known USING (record_id, media_id)
ANTI JOIN late ON late.family = 'record' AND late.record_id = file.record_id
QUALIFY row_number() OVER (
    PARTITION BY file.record_id, file.media_id
    ORDER BY file.seen_after, file.evidence_key, file.evidence_offset, file.row
) = 1
ORDER BY file.row;
