SELECT * FROM records_as_of($moment) WHERE record_id = $record;
