-- The heads of a part of all records, with their counts and files.
INSERT INTO made BY NAME
WITH mine AS (
    FROM bare WHERE h % {parts} = {part}
),
counted AS (
    SELECT record_id, list({'name': name, 'value': value, 'seen_at': seen_at} ORDER BY name) AS counts
    FROM (
        SELECT record_id, name, arg_max(value, seen_at) AS value, max(seen_at) AS seen_at
        FROM {metrics}
        WHERE hash(record_id) % {parts} = {part}
        GROUP BY ALL
    )
    GROUP BY record_id
),
shown AS (
    SELECT record_id, list(DISTINCT hash(media_id)) AS files
    FROM {media}
    WHERE hash(record_id) % {parts} = {part}
    GROUP BY record_id
),
news AS (
    SELECT 'record' AS family, * FROM counted FULL JOIN shown USING (record_id)
)
SELECT
    * REPLACE (
        hash(record_id) AS h,
        coalesce(version, 0) AS version,
        coalesce(held, false) AS held,
        coalesce(gate_hidden, false) AS gate_hidden,
        coalesce(last_seen, TIMESTAMPTZ 'epoch') AS last_seen,
        coalesce(unit, 0) AS unit
    )
FROM mine
FULL JOIN news USING (family, record_id);
