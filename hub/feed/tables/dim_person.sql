-- Grain: one person of people.csv, or made of accounts with one identifier. An account that no person claims stands
-- alone, with the key -1 - account.key.
SELECT key AS person_key, display_name AS person_label, team, role, is_external, timesheet_expected FROM person
WHERE counted
UNION ALL
SELECT o.person_key, coalesce(a.display_name, a.login, a.email, a.id), NULL, a.kind, NULL, NULL
FROM account a JOIN person_of o ON o.account_id = a.id WHERE o.person_key < -1
UNION ALL SELECT -1, getvariable('no_person'), NULL, NULL, NULL, NULL
