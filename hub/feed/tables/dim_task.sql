-- Grain: one task, deleted ones too (is_deleted = 1): facts leave them out, history keeps their name.
WITH RECURSIVE up AS (
    SELECT id AS of_id, id, parent_id, title, 0 AS step FROM task WHERE parent_id IS NOT NULL
    UNION ALL SELECT up.of_id, t.id, t.parent_id, t.title, step + 1 FROM up JOIN task t ON t.id = up.parent_id WHERE step < 50
), top AS (SELECT of_id, arg_max(title, step) AS phase FROM up WHERE step > 0 GROUP BY of_id),
parents AS (SELECT DISTINCT parent_id AS id FROM task WHERE counted AND parent_id IS NOT NULL)
SELECT t.key AS task_key, t.id AS task_id, t.code AS key, t.title, t.kind, t.nature, t.nature AS nature_first, t.type_raw,
    coalesce(m.key, -1) AS parent_task_key, top.phase, t.wbs, s.key AS source_key, coalesce(p.project_key, -1) AS project_key,
    t.url, t.created_at::TIMESTAMPTZ AS created_at, (parents.id IS NULL AND t.kind <> 'summary')::INTEGER AS is_leaf,
    (NOT t.counted)::INTEGER AS is_deleted
FROM task t JOIN source s ON s.id = t.source_id LEFT JOIN place p ON p.container_id = t.container_id
    LEFT JOIN task m ON m.id = t.parent_id LEFT JOIN top ON top.of_id = t.id LEFT JOIN parents ON parents.id = t.id
UNION ALL SELECT -1, NULL, NULL, getvariable('no_task'), 'work', 'unknown', 'unknown', NULL, -1, NULL, NULL,
    min(key), -1, NULL, NULL, 1, 0 FROM source HAVING count(*) > 0
