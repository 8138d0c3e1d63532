-- Which of these files the records are known to show.
SELECT ids.record_id, ids.media_id
FROM ids
JOIN known ON known.family = 'record' AND known.record_id = ids.record_id
WHERE list_contains(known.files, hash(ids.media_id));
