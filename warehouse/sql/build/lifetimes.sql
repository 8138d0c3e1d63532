-- How long what was published while the account was watched was seen to live, in classes of ages 10 % wide: few rows whatever the number
-- of records. The ages are those when first seen, when last seen standing, and when first found gone.
CREATE TEMP MACRO age_class(seconds) AS exp(round(ln(greatest(seconds, 1)) * 10) / 10);

CREATE TABLE lifetimes AS
WITH watched AS (
    SELECT account_id, resource, min(started_at) AS since
    FROM captures
    WHERE outcome = 'complete'
    GROUP BY ALL
),
last_there AS (
    SELECT item, max(there_at) AS seen_at FROM looked GROUP BY item
),
went AS (
    SELECT record_id, min(version) AS version
    FROM changes
    WHERE version > 1 AND state IN ('deleted', 'unavailable')
    GROUP BY record_id
),
ages AS (
    SELECT
        first.account_id,
        first.platform,
        first.kind,
        epoch(first.seen_after - first.published_at) AS entry,
        epoch(coalesce(gone.seen_before, if(gone.record_id IS NULL, last_there.seen_at, NULL), first.seen_after) - first.published_at) AS lower,
        epoch(gone.seen_after - first.published_at) AS upper
    FROM versions AS first
    JOIN watched
        ON watched.account_id = first.account_id
        AND watched.resource = first.kind || 's'
        AND first.published_at >= watched.since
    LEFT JOIN last_there ON last_there.item = hash(first.record_id)
    LEFT JOIN went USING (record_id)
    LEFT JOIN changes AS gone ON gone.record_id = went.record_id AND gone.version = went.version
    WHERE first.version = 1 AND first.state IN ('present', 'hidden')
),
classes AS (
    SELECT
        account_id,
        platform,
        kind,
        age_class(entry) AS entry,
        greatest(age_class(lower), age_class(entry)) AS lower,
        if(upper IS NULL, NULL, age_class(upper)) AS upper
    FROM ages
    WHERE entry >= -300
)
SELECT
    account_id,
    platform,
    kind,
    entry AS entry_seconds,
    lower AS lower_seconds,
    if(upper <= lower, age_class(lower * 1.11), upper) AS upper_seconds,
    count(*) AS items
FROM classes
GROUP BY ALL
ORDER BY ALL;

DROP MACRO age_class;
DROP TABLE looked;
