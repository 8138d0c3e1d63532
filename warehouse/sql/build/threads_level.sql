-- What hangs directly under the level $depth. Paths are cut where threads go deeper than 200: there the order is by time.
INSERT INTO places
SELECT links.node, above.root, above.node, above.depth + 1, left(above.path || links.step, 1200)
FROM links
JOIN places AS above ON above.node = links.parent
WHERE above.depth = $depth;
