-- A gap is written when it opens and again when it closes: the later row counts.
CREATE TABLE built AS
SELECT *
FROM source
QUALIFY row_number() OVER (PARTITION BY gap_id ORDER BY closed_at NULLS LAST) = 1
ORDER BY account_id, opened_at;
