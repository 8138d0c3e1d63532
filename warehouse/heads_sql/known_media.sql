-- Files some records are known to show.
SELECT DISTINCT ids.record_id, known.media_id
FROM known_media AS known
JOIN (SELECT DISTINCT record_id, hash(record_id) AS h FROM ids) AS ids USING (h);
