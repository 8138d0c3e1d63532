-- Places that lie near each other, from and to: what lies far between them is not read.
SELECT min(place), max(place)
FROM (
    SELECT place, sum(far::INTEGER) OVER (ORDER BY place) AS cluster
    FROM (SELECT place, coalesce(place - lag(place) OVER (ORDER BY place) > 50_000, false) AS far FROM places)
)
GROUP BY cluster;
