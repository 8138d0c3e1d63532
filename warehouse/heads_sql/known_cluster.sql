INSERT INTO known
SELECT *, rowid AS place
FROM heads
WHERE rowid BETWEEN {first} AND {last}
    AND rowid IN (SELECT place FROM places);
