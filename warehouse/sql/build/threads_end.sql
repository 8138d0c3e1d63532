-- Answers that lead back to themselves hang under nothing: each begins a tree of its own, so that none is missing.
INSERT INTO places
SELECT node, node, NULL, 0, '' FROM links WHERE node NOT IN (SELECT node FROM places);

-- Trees that answer the same post, which is not archived, are one thread.
CREATE TABLE thread_places AS
WITH shared AS (
    SELECT record_key, list(DISTINCT account_id) AS account_ids
    FROM versions
    WHERE record_key IN (SELECT record_key FROM versions WHERE version > 1)
    GROUP BY record_key
    HAVING count(DISTINCT account_id) > 1
),
trees AS (
    SELECT latest.node, coalesce(latest.root_id, latest.record_id) AS root_id, latest.happened_at
    FROM latest
    JOIN (SELECT node FROM places WHERE depth = 0) AS beginnings USING (node)
),
ordered AS (
    SELECT
        places.node,
        places.parent,
        places.depth,
        trees.root_id,
        row_number() OVER (
            PARTITION BY md5_number(trees.root_id)
            ORDER BY trees.happened_at, trees.node, places.path, places.depth, places.node
        ) AS position
    FROM places
    JOIN trees ON trees.node = places.root
)
SELECT
    latest.record_id,
    latest.record_key,
    ordered.root_id,
    hash(ordered.root_id) AS root_key,
    ordered.depth,
    CASE ordered.parent WHEN md5_number(latest.parent_id) THEN latest.parent_id ELSE if(ordered.parent IS NULL, NULL, latest.root_id) END AS under_id,
    ordered.position,
    coalesce(shared.account_ids, [latest.account_id]) AS account_ids
FROM latest
JOIN ordered USING (node)
LEFT JOIN shared USING (record_key)
ORDER BY root_key, position;

DROP TABLE places;
DROP TABLE links;
DROP VIEW latest;
