-- The latest version of every record as a small numbered node under what it answers. A comment whose parent is not in the archive hangs
-- under the post that begins its thread; where that is not there either, it begins a tree of its own. The numbers are digests of the ids: as
-- good as the ids themselves, and a fifth of their size.
CREATE TEMP VIEW latest AS
SELECT md5_number(record_id) AS node, record_id, record_key, account_id, parent_id, root_id, coalesce(published_at, seen_after) AS happened_at
FROM versions
WHERE superseded_at IS NULL;

CREATE TEMP TABLE links AS
WITH nodes AS (
    SELECT node, md5_number(parent_id) AS parent_node, md5_number(root_id) AS root_node, happened_at FROM latest
),
placed AS (
    SELECT
        nodes.node,
        CASE
            WHEN parents.node IS DISTINCT FROM nodes.node AND parents.node IS NOT NULL THEN parents.node
            WHEN roots.node IS DISTINCT FROM nodes.node THEN roots.node
        END AS parent,
        nodes.happened_at
    FROM nodes
    LEFT JOIN (SELECT node FROM latest) AS parents ON parents.node = nodes.parent_node
    LEFT JOIN (SELECT node FROM latest) AS roots ON roots.node = nodes.root_node
)
SELECT
    node,
    parent,
    printf('%06x', row_number() OVER (PARTITION BY parent ORDER BY happened_at, node)) AS step
FROM placed;

CREATE TEMP TABLE places AS
SELECT node, node AS root, CAST(NULL AS UHUGEINT) AS parent, 0 AS depth, '' AS path FROM links WHERE parent IS NULL;
