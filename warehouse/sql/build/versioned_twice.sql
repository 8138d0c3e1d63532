-- How many versions of a record lie in the table more than once. Hashes are compared first: they are narrow, and nearly always enough.
SELECT count(*)
FROM (
    SELECT record_id, version
    FROM built
    WHERE hash(record_id, version) IN (SELECT hash(record_id, version) AS mark FROM built GROUP BY mark HAVING count(*) > 1)
    GROUP BY record_id, version
    HAVING count(*) > 1
);
