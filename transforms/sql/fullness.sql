-- For each row whose content another row of the same object shows more fully: that row.
SELECT look.row AS row, fuller.row AS fuller
FROM looks AS look
JOIN (
    SELECT record_id, content_sha256, evidence_key, arg_max(row, (filled, -row)) AS row
    FROM looks
    GROUP BY ALL
    HAVING count(*) > 1 AND min(filled) < max(filled)
) AS fuller USING (record_id, content_sha256, evidence_key)
ORDER BY look.row;
