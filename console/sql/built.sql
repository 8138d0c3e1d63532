-- When the mart was built.
SELECT built_at FROM mart_info
