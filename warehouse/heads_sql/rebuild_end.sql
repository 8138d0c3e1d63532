-- What is asked for together lies together.
INSERT INTO heads BY NAME FROM made ORDER BY account_id, record_id;
DROP TABLE made;
DROP TABLE bare;
