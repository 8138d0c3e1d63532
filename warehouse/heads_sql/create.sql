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
    unit INTEGER,
    counts STRUCT(name VARCHAR, value BIGINT, seen_at TIMESTAMPTZ)[],
    files UBIGINT[]
);
-- Of a record's files only the hash of their ids is kept.
CREATE OR REPLACE MACRO family_of(kind) AS if(kind IN ('post', 'comment'), 'record', kind);
CREATE OR REPLACE MACRO names_of(counts) AS coalesce(list_transform(counts, lambda one: one.name), []);
-- The last counts, with what a batch tells of them.
CREATE OR REPLACE MACRO with_news(counts, news) AS
    list_concat(news, list_filter(counts, lambda one: NOT list_contains(names_of(news), one.name)));
