-- The latest version of every record as a small numbered node under what it answers. A comment whose parent is not in the archive hangs
-- under the post that begins its thread; where that is not there either, it begins a tree of its own.
CREATE TEMP TABLE nodes AS
WITH latest AS (
    SELECT record_id, parent_id, root_id, coalesce(published_at, seen_after) AS happened_at FROM posts WHERE superseded_at IS NULL
    UNION ALL
    SELECT record_id, parent_id, root_id, coalesce(published_at, seen_after) FROM comments WHERE superseded_at IS NULL
)
SELECT row_number() OVER () AS node, * FROM latest;

CREATE TEMP TABLE links AS
WITH placed AS (
    SELECT
        nodes.node,
        CASE
            WHEN parents.node IS DISTINCT FROM nodes.node AND parents.node IS NOT NULL THEN parents.node
            WHEN roots.node IS DISTINCT FROM nodes.node THEN roots.node
        END AS parent,
        nodes.happened_at,
        nodes.record_id
    FROM nodes
    LEFT JOIN nodes AS parents ON parents.record_id = nodes.parent_id
    LEFT JOIN nodes AS roots ON roots.record_id = nodes.root_id
)
SELECT
    node,
    parent,
    printf('%06x', row_number() OVER (PARTITION BY parent ORDER BY happened_at, record_id)) AS step
FROM placed;

CREATE TEMP TABLE places AS
SELECT node, node AS root, CAST(NULL AS BIGINT) AS parent, 0 AS depth, '' AS path FROM links WHERE parent IS NULL;
