CREATE OR REPLACE TEMP TABLE incoming AS
SELECT
    fresh.*,
    hash(fresh.record_id) AS h,
    with_news(known.counts, news.counts) AS counts,
    list_concat(known.files, news.files) AS files,
    known.place,
    known.place IS NOT NULL
        AND news.record_id IS NULL
        AND fresh.version = known.version
        AND fresh.held = known.held
        AND fresh.gate_hidden = known.gate_hidden
        AND fresh.presence IS NOT DISTINCT FROM known.presence
        AND fresh.state IS NOT DISTINCT FROM known.state
        AND fresh.gate_root IS NOT DISTINCT FROM known.gate_root
        AND fresh.kind IS NOT DISTINCT FROM known.kind
        AND fresh.content_sha256 IS NOT DISTINCT FROM known.content_sha256 AS same
FROM fresh
LEFT JOIN known USING (family, record_id)
LEFT JOIN news ON fresh.family = 'record' AND news.record_id = fresh.record_id;

-- Counts can come without the record they are of.
INSERT INTO incoming BY NAME
SELECT
    known.* EXCLUDE (unit, counts, files),
    with_news(known.counts, news.counts) AS counts,
    list_concat(known.files, news.files) AS files,
    false AS same
FROM news
JOIN known ON known.family = 'record' AND known.record_id = news.record_id
WHERE news.record_id NOT IN (SELECT record_id FROM fresh WHERE family = 'record');

UPDATE heads
SET content_at = incoming.content_at, presence_at = incoming.presence_at, last_seen = incoming.last_seen, unit = $unit
FROM incoming
WHERE heads.rowid = incoming.place AND incoming.same;

DELETE FROM heads
WHERE rowid IN (SELECT place FROM incoming WHERE NOT same AND place IS NOT NULL);

INSERT INTO heads BY NAME
SELECT * EXCLUDE (place, same), $unit AS unit
FROM incoming
WHERE NOT same;

INSERT INTO heads BY NAME
SELECT
    'record' AS family, record_id, hash(record_id) AS h, $unit AS unit, counts, files,
    0 AS version, false AS held, false AS gate_hidden, TIMESTAMPTZ 'epoch' AS last_seen
FROM news
WHERE record_id NOT IN (SELECT record_id FROM incoming WHERE family = 'record');
