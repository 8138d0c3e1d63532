-- The heads of everything ever listed by the gates of some threads, and of the hides of it.
INSERT INTO known
SELECT *, rowid AS place
FROM heads
WHERE rowid NOT IN (SELECT place FROM known)
  AND rowid IN (
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
