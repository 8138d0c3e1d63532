-- Each current record with its series, when its period ends, and what that means on the day $as_of.
-- A period runs from its trigger by the calendar: 29 February and one year end on 28 February. The last day is the first on which the
-- record is due. Days are those of UTC.
CREATE TABLE retention_audit AS
WITH
held AS (
    SELECT kind, record_id, list(hold_id ORDER BY hold_id) AS held_by
    FROM audit_held
    GROUP BY kind, record_id
),
triggered AS (
    SELECT
        records.kind,
        records.record_id,
        records.account_id,
        records.account,
        records.platform,
        records.published_at,
        matches.series,
        series.title AS series_title,
        matches.rule,
        series.permanent,
        series.trigger,
        CASE
            WHEN series.trigger = 'published' THEN CAST(records.published_at AS DATE)
            ELSE events.occurred_on
        END AS triggered_on,
        to_years(series.years) + to_months(series.months) + to_days(series.days) AS period,
        coalesce(held.held_by, []) AS held_by
    FROM audit_records AS records
    LEFT JOIN audit_matches AS matches USING (kind, record_id)
    LEFT JOIN audit_series AS series ON series.series = matches.series
    LEFT JOIN audit_events AS events ON events.record_id = records.record_id AND events.event = series.trigger
    LEFT JOIN held USING (kind, record_id)
),
dated AS (
    SELECT *, CASE WHEN NOT permanent THEN CAST(triggered_on + period AS DATE) END AS expires_on
    FROM triggered
)
SELECT
    kind,
    record_id,
    account,
    account_id,
    platform,
    published_at,
    series,
    series_title,
    rule,
    trigger,
    triggered_on,
    expires_on,
    held_by,
    CASE
        WHEN len(held_by) > 0 THEN 'held'
        WHEN series_title IS NULL THEN 'no_series'
        WHEN permanent THEN 'permanent'
        WHEN expires_on <= CAST($as_of AS DATE) THEN 'due'
        ELSE 'keep'
    END AS status
FROM dated;
