-- Grain: one line of a checklist at one cut.
SELECT getvariable('cut_key') AS cut_key, k.id AS item_id, coalesce(c.project_key, p.project_key, -1) AS project_key,
    k.list, k.label,
    k.mandatory AS is_mandatory, k.state
FROM checklist_item k LEFT JOIN project_named c ON c.code = k.project_code
    LEFT JOIN task_place p ON p.task_id = k.task_id WHERE k.counted
