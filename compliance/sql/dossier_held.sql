SELECT * EXCLUDE (record_key)
FROM records_as_of($moment)
WHERE record_key = hash(CAST($record AS VARCHAR)) AND record_id = $record;
