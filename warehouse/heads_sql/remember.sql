CREATE OR REPLACE TEMP TABLE incoming AS
SELECT
    fresh.*,
    hash(fresh.record_id) AS h,
    known.place,
    known.place IS NOT NULL
        AND fresh.version = known.version
        AND fresh.held = known.held
        AND fresh.gate_hidden = known.gate_hidden
        AND fresh.presence IS NOT DISTINCT FROM known.presence
        AND fresh.state IS NOT DISTINCT FROM known.state
        AND fresh.gate_root IS NOT DISTINCT FROM known.gate_root
        AND fresh.kind IS NOT DISTINCT FROM known.kind
        AND fresh.content_sha256 IS NOT DISTINCT FROM known.content_sha256 AS same
FROM fresh
LEFT JOIN known USING (family, record_id);

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
