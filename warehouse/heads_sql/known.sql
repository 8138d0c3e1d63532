-- The heads of some records, with where they lie.
CREATE OR REPLACE TEMP TABLE known AS
SELECT *, rowid AS place
FROM heads
WHERE rowid IN (
    SELECT heads.rowid
    FROM heads
    JOIN (SELECT hash(record_id) AS h FROM keys) AS wanted USING (h)
);
