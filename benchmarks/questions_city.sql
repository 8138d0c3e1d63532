-- A city's archive that nobody captured: $accounts accounts, three years, $records posts and comments, in the order in which the archive's
-- files lie (by month, within them by account and time). A few accounts have most of it, a few threads most of an account's comments, and one
-- record in twelve has a history. All from hashes, so that the same numbers give the same city.
SET VARIABLE words = (
    SELECT string_agg(chr((97 + hash(n) % 26)::INTEGER) || repeat(chr((97 + hash(n, 1) % 26)::INTEGER), 1 + (hash(n, 2) % 3)::INTEGER) || ' ', '')
    FROM range(40000) AS numbers(n)
);
CREATE TABLE city_accounts AS
SELECT
    n AS account,
    'account-' || n AS name,
    CASE WHEN n % 10 < 5 THEN 'bluesky' WHEN n % 10 < 8 THEN 'mastodon' ELSE 'wordpress' END AS platform,
    CASE
        WHEN n % 10 < 5 THEN 'bluesky:did:plc:' || left(md5(n::VARCHAR), 24)
        WHEN n % 10 < 8 THEN 'mastodon:social' || n || '.example.gov/' || (109000000000000000 + n)
        ELSE 'wordpress:news' || n || '.example.gov'
    END AS account_id,
    1 / (n + 10) / sum(1 / (n + 10)) OVER () AS share
FROM range($accounts) AS numbers(n);

-- What each account shows in each month: nine comments to a post.
CREATE TABLE city_months AS
SELECT
    month,
    city_accounts.*,
    greatest(1, round(share * $records / 36 / 10))::BIGINT AS posts,
    greatest(0, round(share * $records * 9 / 36 / 10))::BIGINT AS comments
FROM range(36) AS months(month), city_accounts;

CREATE MACRO city_id(platform, account, account_id, kind, month, k) AS
CASE platform
    WHEN 'bluesky' THEN
        CASE kind
            WHEN 'post' THEN 'bluesky:at://' || account_id[9:] || '/app.bsky.feed.post/3' || left(md5(concat_ws('-', account, month, k)), 12)
            ELSE 'bluesky:at://did:plc:' || left(md5((hash(account + 7, k + 7) % 5000)::VARCHAR), 24) || '/app.bsky.feed.post/3' || left(md5(concat_ws('.', account, month, k)), 12)
        END
    WHEN 'mastodon' THEN
        'mastodon:social' || account || '.example.gov/1' || lpad((month * 100000000 + k * 2 + if(kind = 'post', 0, 1))::VARCHAR, 17, '0')
    ELSE account_id || '/' || kind || '/' || (month * 10000000 + k)
END;

CREATE MACRO city_content(what) AS TABLE
WITH records AS (
    SELECT month, account, platform, account_id, posts, unnest(range(if(what = 'post', posts, comments))) AS k, if(what = 'post', posts, comments) AS many
    FROM city_months
    ORDER BY month, account
),
placed AS (
    SELECT
        *,
        hash(month + 7, account + 7, k + 7, what) AS dice,
        TIMESTAMPTZ '2023-01-01 00:00:00+00' + to_seconds((month + k / many) * 2629746) AS published_at,
        city_id(platform, account, account_id, what, month, k) AS record_id,
        CASE
            WHEN what = 'post' THEN city_id(platform, account, account_id, 'post', month, k)
            ELSE city_id(platform, account, account_id, 'post', month, if(k % 3 = 0, 0, k % posts))
        END AS root_id
    FROM records
),
lives AS (
    SELECT
        *,
        CASE WHEN dice % 1000 < 50 THEN ['first_seen', 'edited']
             WHEN dice % 1000 < 65 THEN ['first_seen', 'deleted']
             WHEN dice % 1000 < 75 THEN if(what = 'post', ['first_seen'], ['first_seen', 'hidden'])
             WHEN dice % 1000 < 80 THEN ['first_seen', 'edited', 'deleted']
             WHEN dice % 1000 < 83 THEN ['first_seen', 'edited', 'edited', 'edited']
             ELSE ['first_seen']
        END AS life
    FROM placed
)
SELECT
    record_id,
    account_id,
    platform,
    version::INTEGER AS version,
    life[version] AS change,
    CASE WHEN life[version] IN ('deleted', 'hidden') THEN life[version] ELSE 'present' END AS state,
    CASE WHEN life[version] = 'deleted' THEN 'record:getRecord: RecordNotFound' ELSE 'view:getPosts' END AS state_basis,
    published_at,
    CASE WHEN life[version] = 'edited' THEN published_at + to_hours(24 * (version - 1)) END AS platform_edited_at,
    CASE WHEN version > 1 THEN published_at + to_hours(24 * (version - 1)) END AS seen_before,
    published_at + to_hours(24 * (version - 1) + 6) AS seen_after,
    'did:plc:' || left(md5((if(what = 'post', account, dice % 200000))::VARCHAR), 24) AS author_id,
    'user' || (dice % 200000) || '.example' AS author_handle,
    'User ' || (dice % 200000) AS author_name,
    what = 'post' AS author_is_account,
    NULL::VARCHAR AS title,
    if(version > 1, 'Corrected: ', '') || substr(getvariable('words'), 1 + (dice % 100000)::BIGINT, 20 + (dice % 240)::BIGINT) AS text,
    NULL::VARCHAR AS text_folded,
    'en' AS lang,
    if(what = 'post', NULL, root_id) AS parent_id,
    root_id,
    'https://example.gov/' || month || '/' || account || '/' || k AS url,
    if(dice % 10 = 0, ['https://example.gov/' || (dice % 1000)], NULL) AS links,
    NULL::VARCHAR[] AS mentions,
    NULL::VARCHAR[] AS hashtags,
    NULL::STRUCT(media_id VARCHAR, kind VARCHAR, url VARCHAR, alt VARCHAR, mime VARCHAR)[] AS attachments,
    'public' AS source_visibility,
    md5(dice::VARCHAR) || md5(version::VARCHAR) AS content_sha256,
    'capture-' || account || '-' || (month * 30 + k * 30 // many) AS capture_id,
    'evidence/' || account_id || '/' || (month * 30 + k * 30 // many) || '.warc.gz' AS evidence_key,
    (dice % 1000000)::BIGINT AS evidence_offset,
    md5(dice::VARCHAR) || md5((dice + 1)::VARCHAR) AS payload_sha256,
    '1' AS normalizer_version
FROM (SELECT *, unnest(range(1, len(life) + 1)) AS version FROM lives);

COPY (FROM city_content('post')) TO '$folder/posts.parquet' (COMPRESSION lz4);
COPY (FROM city_content('comment')) TO '$folder/comments.parquet' (COMPRESSION lz4);

COPY (
    SELECT
        replace(record_id, ':', ':hide/') AS record_id, account_id, platform, 1::INTEGER AS version, 'first_seen' AS change, 'present' AS state,
        state_basis, 'hide' AS action, record_id AS subject_id, account_id AS actor_id, NULL::VARCHAR AS reason, NULL::TIMESTAMPTZ AS acted_at,
        seen_before, seen_after, content_sha256, capture_id, evidence_key, evidence_offset, payload_sha256, normalizer_version
    FROM '$folder/comments.parquet'
    WHERE state = 'hidden'
) TO '$folder/moderation_actions.parquet' (COMPRESSION lz4);

COPY (
    SELECT record_id, unnest(['likes', 'replies']) AS name, unnest([evidence_offset % 500, evidence_offset % 20]) AS value, seen_after AS seen_at, capture_id
    FROM '$folder/posts.parquet'
) TO '$folder/metrics.parquet' (COMPRESSION lz4);

-- One look for every version; what looks again and sees the same is not asked about.
COPY (
    SELECT record_id, 'post' AS kind, seen_after AS seen_at, state, content_sha256, capture_id, evidence_key, evidence_offset
    FROM '$folder/posts.parquet'
    UNION ALL
    SELECT record_id, 'comment', seen_after, state, content_sha256, capture_id, evidence_key, evidence_offset
    FROM '$folder/comments.parquet'
) TO '$folder/sightings.parquet' (COMPRESSION lz4);

-- Each account is looked at every twelve hours, its posts and its comments; one look in a hundred fails and leaves a gap.
COPY (
    SELECT
        concat_ws('-', 'capture', account, look, resource) AS capture_id, account_id, platform, resource,
        TIMESTAMPTZ '2023-01-01 00:00:00+00' + to_hours(12 * look) + to_seconds((hash(account, look) % 600)::BIGINT) AS started_at,
        TIMESTAMPTZ '2023-01-01 00:00:00+00' + to_hours(12 * look) + to_seconds((700 + hash(account, look) % 600)::BIGINT) AS ended_at,
        NULL::TIMESTAMPTZ AS since, 3::BIGINT AS pages, 40::BIGINT AS items, NULL::BIGINT AS platform_total, NULL::VARCHAR AS skipped,
        if(hash(account, look, resource) % 100 = 0, 'server_error', 'complete') AS outcome, NULL::VARCHAR AS message, 'bench' AS software
    FROM range(2190) AS looks(look), city_accounts, (VALUES ('posts'), ('comments')) AS resources(resource)
) TO '$folder/captures.parquet' (COMPRESSION lz4);

COPY (
    SELECT
        'gap-' || capture_id AS gap_id, account_id, resource, outcome AS cause, started_at - INTERVAL 12 HOUR AS opened_at,
        started_at + INTERVAL 12 HOUR AS closed_at, capture_id
    FROM '$folder/captures.parquet'
    WHERE outcome <> 'complete'
) TO '$folder/gaps.parquet' (COMPRESSION lz4);

COPY (
    SELECT
        account_id, name, name AS title, platform, name AS handle, 'active' AS status, 'Communications' AS department,
        NULL::VARCHAR AS office
    FROM city_accounts
) TO '$folder/accounts.parquet';
