SELECT own(item_id) AS id, whole(project_key) AS project_code, list, label, is_mandatory = 1 AS mandatory, state
FROM fact_checklist WHERE cut_key = getvariable('cut')
