-- What must be cut from evidence: for each record the bytes that show its content and, where they are others, the bytes that show
-- its state. A version that has the content of the one before shows a state only.
CREATE TEMP TABLE natives AS
WITH history AS (
    SELECT
        handed.*,
        responsive.number,
        responsive.version AS produced,
        lag(handed.content_sha256) OVER (PARTITION BY responsive.number ORDER BY handed.version) AS content_before
    FROM responsive
    JOIN handed ON handed.record_id = responsive.record_id AND handed.version <= responsive.version
),
pieces AS (
    SELECT
        *,
        max(version) FILTER (WHERE content_before IS DISTINCT FROM content_sha256) OVER (PARTITION BY number) AS content_version
    FROM history
)
SELECT
    pieces.number,
    pieces.record_id,
    pieces.version,
    CASE WHEN pieces.version = content_version THEN 'content' ELSE 'state' END AS role,
    pieces.payload_sha256,
    pieces.evidence_key,
    pieces.evidence_offset,
    evidence.sha256 AS evidence_sha256
FROM pieces
LEFT JOIN evidence USING (evidence_key)
WHERE pieces.version IN (content_version, produced)
ORDER BY pieces.evidence_key, pieces.evidence_offset, pieces.number;
