-- One hold: everything that matches all parts of its scope.
INSERT INTO audit_held
SELECT records.kind, records.record_id, $hold_id
FROM audit_records AS records
WHERE (len($account_ids) = 0 OR list_contains($account_ids, records.account_id))
    AND (len($kinds) = 0 OR list_contains($kinds, records.kind))
    AND (len($record_ids) = 0 OR list_contains($record_ids, records.record_id))
    -- a record without a date may lie in the range: it is held
    AND ($published_from IS NULL OR records.published_at IS NULL OR records.published_at >= $published_from)
    AND ($published_until IS NULL OR records.published_at IS NULL OR records.published_at < $published_until)
    AND ($text IS NULL OR regexp_matches(records.words, $text, 'i'))
    AND (
        $query IS NULL
        OR records.record_id IN (SELECT answers.record_id FROM audit_hold_answers AS answers WHERE answers.hold_id = $hold_id)
    );
