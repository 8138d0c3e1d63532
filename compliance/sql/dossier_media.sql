SELECT media_id, kind, url, alt, mime, seen_after, evidence_key, evidence_offset
FROM media
WHERE record_id = $record AND seen_after <= coalesce(CAST($moment AS TIMESTAMPTZ), 'infinity')
ORDER BY seen_after, media_id;
