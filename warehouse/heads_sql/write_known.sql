SET partitioned_write_flush_threshold = 20000;
COPY (
    SELECT record_id, kind, root_id, published_at, left(sha256(account_id), 32) AS account
    FROM heads
    WHERE kind IN ('post', 'comment', 'moderation_action')
        AND version > 0
        AND state NOT IN ('deleted', 'unavailable')
        AND ({all} OR account_id IN (SELECT account_id FROM wanted_accounts))
    ORDER BY account, published_at DESC NULLS FIRST
) TO {folder} (FORMAT parquet, PARTITION_BY (account), ROW_GROUP_SIZE 20000, COMPRESSION zstd, OVERWRITE true);
