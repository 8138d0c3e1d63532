SET TimeZone = 'UTC';
CREATE OR REPLACE MACRO hide_id(record_id) AS
    split_part(record_id, ':', 1) || ':hide/' || substr(record_id, instr(record_id, ':') + 1);
CREATE OR REPLACE MACRO family_of(kind) AS if(kind IN ('post', 'comment'), 'record', kind);
