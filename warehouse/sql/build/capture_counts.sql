-- What became of every record that a look showed, counted by look. Looks and records are compared by hash: both are many.
CREATE TEMP TABLE looked AS
SELECT
    hash(capture_id) AS capture,
    hash(record_id) AS item,
    count(*) AS looks,
    max(seen_at) FILTER (WHERE state IN ('present', 'hidden')) AS there_at
FROM sightings
WHERE kind <> 'gate' AND state <> 'edit_history'
GROUP BY ALL;

CREATE TEMP VIEW steps AS
SELECT account_id, capture_id, record_id, version, state FROM versions
UNION ALL
SELECT account_id, capture_id, record_id, version, state FROM moderation_actions
UNION ALL
SELECT account_id, capture_id, record_id, version, state FROM profiles;

-- The versions each look added: a record's first one, or what the last one of the look says.
CREATE TEMP TABLE stepped AS
WITH later AS (
    SELECT capture_id, record_id, max_by(state, version) AS state
    FROM steps
    WHERE version > 1
    GROUP BY ALL
)
SELECT hash(capture_id) AS capture, hash(record_id) AS item, 'new' AS step
FROM steps
WHERE version = 1
UNION ALL
SELECT hash(later.capture_id), hash(later.record_id), if(later.state IN ('deleted', 'unavailable'), 'gone', 'changed')
FROM later
ANTI JOIN (SELECT capture_id, record_id FROM steps WHERE version = 1) AS begun USING (capture_id, record_id);

-- A version told afterwards by the platform is added by a look at its later versions, which the look shows.
CREATE TEMP TABLE outcomes AS
SELECT
    coalesce(looked.capture, stepped.capture) AS capture,
    coalesce(looked.item, stepped.item) AS item,
    coalesce(looked.looks, 0) AS looks,
    CASE
        WHEN looked.item IS NULL THEN 'without_look'
        WHEN stepped.step IS NOT NULL THEN stepped.step
        WHEN looked.item IN (SELECT item FROM stepped) THEN 'unchanged'
        WHEN looked.there_at IS NULL THEN 'absent'
        ELSE 'without_row'
    END AS outcome
FROM looked
FULL JOIN stepped ON stepped.capture = looked.capture AND stepped.item = looked.item;

CREATE TABLE capture_counts AS
WITH counted AS (
    SELECT
        capture,
        count(*) FILTER (WHERE outcome <> 'without_look') AS records,
        sum(looks)::BIGINT AS looks,
        count(*) FILTER (WHERE outcome = 'new') AS new,
        count(*) FILTER (WHERE outcome = 'changed') AS changed,
        count(*) FILTER (WHERE outcome = 'gone') AS gone,
        count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
        count(*) FILTER (WHERE outcome = 'absent') AS absent,
        count(*) FILTER (WHERE outcome = 'without_row') AS without_row,
        count(*) FILTER (WHERE outcome = 'without_look') AS without_look
    FROM outcomes
    GROUP BY capture
),
aside AS (
    SELECT capture_id, count(*) AS quarantined FROM quarantine GROUP BY capture_id
)
SELECT
    captures.capture_id,
    coalesce(counted.records, 0) AS records,
    coalesce(counted.looks, 0) AS looks,
    coalesce(counted.new, 0) AS new,
    coalesce(counted.changed, 0) AS changed,
    coalesce(counted.unchanged, 0) AS unchanged,
    coalesce(counted.gone, 0) AS gone,
    coalesce(counted.absent, 0) AS absent,
    coalesce(aside.quarantined, 0) AS quarantined,
    coalesce(list_sum(CAST(json_extract(captures.skipped, '$.*') AS BIGINT[])), 0)::BIGINT AS skipped_items,
    coalesce(counted.without_row, 0) AS without_row,
    coalesce(counted.without_look, 0) AS without_look
FROM captures
LEFT JOIN counted ON counted.capture = hash(captures.capture_id)
LEFT JOIN aside USING (capture_id)
ORDER BY captures.started_at, captures.capture_id;

CREATE TABLE look_differences AS
WITH strays AS (
    SELECT capture, item, outcome FROM outcomes WHERE outcome IN ('without_row', 'without_look')
)
SELECT
    'look' AS what,
    captures.account_id,
    sightings.record_id,
    sightings.capture_id,
    1 AS counted,
    0 AS held,
    if(bool_and(sightings.content_sha256 IS NULL), 'content_never_shown', NULL) AS reason
FROM sightings
JOIN strays ON strays.outcome = 'without_row' AND strays.capture = hash(sightings.capture_id) AND strays.item = hash(sightings.record_id)
LEFT JOIN captures USING (capture_id)
WHERE sightings.kind <> 'gate' AND sightings.state <> 'edit_history'
GROUP BY ALL
UNION ALL
SELECT DISTINCT 'version', steps.account_id, steps.record_id, steps.capture_id, 0, 1, NULL
FROM steps
JOIN strays ON strays.outcome = 'without_look' AND strays.capture = hash(steps.capture_id) AND strays.item = hash(steps.record_id)
ORDER BY ALL;

DROP TABLE outcomes;
DROP TABLE stepped;
DROP VIEW steps;
