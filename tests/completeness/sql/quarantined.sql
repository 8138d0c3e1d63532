SELECT call, native_id, reason, detail
FROM quarantine;
