SELECT name, value, seen_at FROM metrics_as_of(coalesce(CAST($moment AS TIMESTAMPTZ), 'infinity')) WHERE record_id = $record ORDER BY name;
