-- When the mart was built.
SELECT max(built_at) AS built_at FROM mart_info
