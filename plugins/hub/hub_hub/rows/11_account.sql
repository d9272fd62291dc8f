SELECT id, person_label AS display_name,
    CASE WHEN person_key < -1 AND role IN ('bot', 'generic') THEN role
        WHEN getvariable('lines') THEN 'human' ELSE 'generic' END AS kind
FROM who
