WITH aside AS (
    SELECT account_id, count(*) AS quarantined, mode(call) AS call, mode(reason) AS reason
    FROM quarantine
    WHERE seen_at > $since
    GROUP BY account_id
),
shown AS (
    SELECT account_id, sum(items) AS items
    FROM captures
    WHERE started_at > $since
    GROUP BY account_id
)
SELECT
    aside.account_id,
    aside.quarantined,
    greatest(coalesce(shown.items, 0), aside.quarantined) AS items,
    aside.call,
    aside.reason
FROM aside
LEFT JOIN shown USING (account_id)
