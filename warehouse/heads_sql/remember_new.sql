INSERT INTO heads BY NAME
SELECT *, hash(record_id) AS h, $unit AS unit
FROM fresh;
