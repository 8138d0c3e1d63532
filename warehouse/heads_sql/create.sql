CREATE TABLE IF NOT EXISTS reflected (name VARCHAR PRIMARY KEY, snapshot BIGINT);
CREATE TABLE IF NOT EXISTS heads (
    h UBIGINT,
    family VARCHAR,
    record_id VARCHAR,
    kind VARCHAR,
    account_id VARCHAR,
    root_id VARCHAR,
    version INTEGER,
    presence VARCHAR,
    held BOOLEAN,
    gate_hidden BOOLEAN,
    gate_root VARCHAR,
    state VARCHAR,
    content_sha256 VARCHAR,
    published_at TIMESTAMPTZ,
    content_at TIMESTAMPTZ,
    presence_at TIMESTAMPTZ,
    last_seen TIMESTAMPTZ,
    unit INTEGER
);
CREATE TABLE IF NOT EXISTS last_metrics (h UBIGINT, record_id VARCHAR, name VARCHAR, value BIGINT, seen_at TIMESTAMPTZ);
-- Should two records have one hash, they share what is known of their files: a file of both is kept once.
CREATE TABLE IF NOT EXISTS known_media (h UBIGINT, media_id VARCHAR);
CREATE OR REPLACE MACRO family_of(kind) AS if(kind IN ('post', 'comment'), 'record', kind);
