-- Of no record of the batch anything is known.
CREATE OR REPLACE TEMP TABLE late (family VARCHAR, record_id VARCHAR);
