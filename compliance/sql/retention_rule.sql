-- One rule: give its series to what it matches and no earlier rule did. A list without values limits nothing.
INSERT INTO audit_matches
SELECT records.kind, records.record_id, $rule, $series
FROM audit_records AS records
ANTI JOIN audit_matches USING (kind, record_id)
WHERE (len($accounts) = 0 OR list_contains($accounts, records.account))
    AND (len($departments) = 0 OR list_contains($departments, records.department))
    AND (len($offices) = 0 OR list_contains($offices, records.office))
    AND (len($platforms) = 0 OR list_contains($platforms, records.platform))
    AND (len($kinds) = 0 OR list_contains($kinds, records.kind))
    AND ($author IS NULL OR records.author = $author)
    AND ($text IS NULL OR regexp_matches(records.words, $text, 'i'));
