-- Grain: one person. An account that no person claims stands alone, with the key -1 - account.key.
SELECT -1 - key AS person_key, coalesce(display_name, login, email, id) AS person_label, NULL AS team, kind AS role,
    NULL AS is_external, NULL AS timesheet_expected
FROM account
UNION ALL SELECT -1, getvariable('no_person'), NULL, NULL, NULL, NULL
