-- The first look at each file of a record that is not known to show it.
SELECT arg_min(file.row, (file.seen_after, file.evidence_key, file.evidence_offset, file.row)) AS row
FROM media AS file
ANTI JOIN known_media AS known USING (record_id, media_id)
ANTI JOIN late ON late.family = 'record' AND late.record_id = file.record_id
GROUP BY file.record_id, file.media_id
ORDER BY row;
