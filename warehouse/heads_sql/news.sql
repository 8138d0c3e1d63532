-- What a batch tells of counts and files, a row for each record.
CREATE OR REPLACE TEMP TABLE news AS
SELECT record_id, counts, files
FROM (
    SELECT record_id, list({'name': name, 'value': value, 'seen_at': seen_at} ORDER BY name) AS counts
    FROM (SELECT record_id, name, arg_max(value, seen_at) AS value, max(seen_at) AS seen_at FROM counted GROUP BY ALL)
    GROUP BY record_id
)
FULL JOIN (SELECT record_id, list(DISTINCT hash(media_id)) AS files FROM shown GROUP BY record_id) USING (record_id);
