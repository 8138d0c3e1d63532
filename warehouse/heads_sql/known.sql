-- Where the heads of some records lie: first found by their hashes alone.
CREATE OR REPLACE TEMP TABLE places AS
SELECT DISTINCT heads.rowid AS place
FROM heads
JOIN (SELECT hash(record_id) AS h FROM keys) AS wanted USING (h);

CREATE OR REPLACE TEMP TABLE known AS
SELECT *, rowid AS place FROM heads LIMIT 0;
