-- Every record of the batch is looked at once, and nothing about any is unsettled.
CREATE OR REPLACE TEMP TABLE late (family VARCHAR, record_id VARCHAR);
CREATE OR REPLACE TEMP TABLE intricate (record_id VARCHAR);
CREATE OR REPLACE TEMP TABLE grouped AS SELECT family, record_id, place, seen_at AS seen_last FROM all_looks;
