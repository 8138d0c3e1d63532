INSERT INTO heads BY NAME
SELECT fresh.*, hash(fresh.record_id) AS h, $unit AS unit, news.counts, news.files
FROM fresh
LEFT JOIN news ON fresh.family = 'record' AND news.record_id = fresh.record_id;

-- Counts can come without the record they are of.
INSERT INTO heads BY NAME
SELECT
    'record' AS family, record_id, hash(record_id) AS h, $unit AS unit, counts, files,
    0 AS version, false AS held, false AS gate_hidden, TIMESTAMPTZ 'epoch' AS last_seen
FROM news
WHERE record_id NOT IN (SELECT record_id FROM fresh WHERE family = 'record');
