-- Grain: one line of a checklist at one cut.
SELECT 0 AS cut_key, k.id AS item_id, coalesce(c.project_key, p.project_key, -1) AS project_key, k.list, k.mandatory AS is_mandatory, k.state
FROM checklist_item k LEFT JOIN project_code c ON c.code = k.project_code LEFT JOIN task t ON t.id = k.task_id
    LEFT JOIN place p ON p.container_id = t.container_id WHERE k.counted
