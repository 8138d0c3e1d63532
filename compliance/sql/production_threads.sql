-- Every conversation a responsive record stands in, from top to bottom, with the responsive ones marked.
CREATE TEMP VIEW conversation AS
WITH touched AS (
    SELECT responsive.number, responsive.version, handed.thread_of, places.root_id
    FROM responsive
    JOIN handed ON handed.record_id = responsive.record_id AND handed.version = responsive.version
    JOIN thread_places AS places ON places.record_id = handed.thread_of
),
marks AS (
    SELECT thread_of AS record_id, list(number ORDER BY number) AS numbers, list(version ORDER BY number) AS versions
    FROM touched
    GROUP BY thread_of
)
SELECT
    threads.root_id,
    threads.depth,
    threads.record_id,
    marks.numbers,
    marks.versions,
    coalesce(accounts.title, threads.account, threads.account_id) AS account_title,
    threads.platform,
    threads.author_name,
    threads.author_handle,
    threads.author_is_account,
    threads.published_at,
    threads.version,
    threads.state,
    threads.change,
    threads.seen_before,
    threads.seen_after,
    threads.title,
    threads.text,
    threads.url
FROM threads
LEFT JOIN accounts USING (account_id)
LEFT JOIN marks USING (record_id)
WHERE threads.root_id IN (SELECT root_id FROM touched)
ORDER BY threads.root_id, threads.position;
