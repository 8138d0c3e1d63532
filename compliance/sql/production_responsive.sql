-- The records of the answer, each once, in the order of the query; without a version the latest one is meant. What the archive does
-- not hold gets no number.
CREATE TEMP TABLE responsive AS
WITH asked AS (
    SELECT CAST(record_id AS VARCHAR) AS record_id, CAST(version AS INTEGER) AS version, min(place) AS place
    FROM answer
    GROUP BY ALL
),
found AS (
    SELECT
        min(asked.place) AS place,
        asked.record_id,
        coalesce(handed.version, asked.version) AS version,
        any_value(handed.kind) AS kind
    FROM asked
    LEFT JOIN handed
        ON handed.record_id = asked.record_id
        AND CASE WHEN asked.version IS NULL THEN handed.superseded_at IS NULL ELSE handed.version = asked.version END
    GROUP BY ALL
)
SELECT
    CASE WHEN kind IS NOT NULL THEN row_number() OVER (PARTITION BY kind IS NULL ORDER BY place) END AS number,
    place,
    record_id,
    version,
    kind
FROM found;
