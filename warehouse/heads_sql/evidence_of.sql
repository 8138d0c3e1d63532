-- Every object that showed one of the records, or a gate that ever listed one of them.
WITH sightings AS (
    SELECT * FROM {sightings}
),
hides AS (
    SELECT family, record_id FROM keys
    UNION
    SELECT 'record', replace(record_id, ':hide/', ':') FROM keys WHERE family = 'moderation_action'
),
roots AS (
    SELECT split_part(sighting.record_id, ' ', 1) AS root_id
    FROM sightings AS sighting
    JOIN hides
        ON hides.family = 'record'
        AND hides.record_id = substr(sighting.record_id, instr(sighting.record_id, ' ') + 1)
    WHERE sighting.kind = 'gate' AND sighting.state = 'hidden'
    UNION
    SELECT record_id FROM keys WHERE family = 'gate'
)
SELECT DISTINCT evidence_key
FROM sightings
WHERE (family_of(kind), record_id) IN (SELECT (family, record_id) FROM keys)
   OR (kind = 'gate' AND record_id IN (SELECT root_id FROM roots));
