-- Answers that lead back to themselves hang under nothing: each begins a tree of its own, so that none is missing.
INSERT INTO places
SELECT node, node, NULL, 0, '' FROM links WHERE node NOT IN (SELECT node FROM places);

CREATE TABLE thread_places AS
SELECT
    nodes.record_id,
    coalesce(roots.root_id, roots.record_id) AS root_id,
    places.depth,
    above.record_id AS under_id,
    row_number() OVER (
        PARTITION BY coalesce(roots.root_id, roots.record_id)
        ORDER BY roots.happened_at, roots.record_id, places.path, places.depth, nodes.happened_at, nodes.record_id
    ) AS position
FROM places
JOIN nodes USING (node)
JOIN nodes AS roots ON roots.node = places.root
LEFT JOIN nodes AS above ON above.node = places.parent
ORDER BY root_id, position;

DROP TABLE nodes;
DROP TABLE links;
DROP TABLE places;
