-- The records as they are handed over, in the columns of record_columns.py, then what the query computed.
CREATE TEMP VIEW produced AS
SELECT
    responsive.number,
    responsive.kind,
    coalesce(accounts.title, accounts.name, handed.account_id) AS account_title,
    handed.* EXCLUDE (kind, record_id, version, account_id, content_sha256, superseded_at, thread_of),
    content.path AS native_file,
    places.path AS thread_file,
    responsive.record_id,
    responsive.version,
    accounts.name AS account,
    responsive.place
FROM responsive
JOIN handed ON handed.record_id = responsive.record_id AND handed.version = responsive.version
LEFT JOIN accounts USING (account_id)
LEFT JOIN files AS content ON content.number = responsive.number AND content.role = 'content'
LEFT JOIN files AS places ON places.number = responsive.number AND places.role = 'thread';
