-- The heads of some records, and of everything ever listed by the gates of some threads, with where they lie.
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT hash(record_id) AS h FROM keys;

CREATE OR REPLACE TEMP TABLE known AS
SELECT *, rowid AS place
FROM heads
WHERE rowid IN (
    SELECT heads.rowid FROM heads JOIN wanted USING (h)
    UNION
    SELECT heads.rowid FROM heads WHERE gate_root IN (SELECT root_id FROM roots)
    UNION
    SELECT heads.rowid
    FROM heads
    JOIN (
        SELECT
            hash(split_part(record_id, ':', 1) || ':hide/' || substr(record_id, instr(record_id, ':') + 1)) AS h
        FROM heads
        WHERE gate_root IN (SELECT root_id FROM roots)
    ) AS hides USING (h)
);
