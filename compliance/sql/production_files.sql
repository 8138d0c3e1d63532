-- The manifest: what each file of the package is, and what is not in it though it was asked for.
CREATE TEMP VIEW listed AS
SELECT path AS file, number, record_id, version, role, status, bytes, sha256, payload_sha256, evidence_key, evidence_offset, note
FROM files
UNION ALL
SELECT
    NULL, NULL, record_id, version, 'record', 'missing', NULL, NULL, NULL, NULL, NULL,
    'the archive holds no such record or version'
FROM responsive
WHERE kind IS NULL
ORDER BY number NULLS FIRST, role, file;
