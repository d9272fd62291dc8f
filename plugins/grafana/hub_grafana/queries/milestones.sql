-- Grain: one milestone at the cut, by its date.
SELECT p.code AS code, k.title AS task, s.label_{lang} AS status, f.baseline_finish AS baseline_finish,
    f.planned_finish AS planned_finish, f.actual_finish AS actual_finish, k.url AS url
FROM feed.fact_task_snapshot f
    JOIN feed.dim_task k ON k.task_key = f.task_key
    JOIN feed.dim_status s ON s.status_key = f.status_key
    JOIN feed.dim_project p ON p.project_key = f.project_key
WHERE f.cut_key = ${cut:sqlstring} AND k.kind = 'milestone' AND s.category <> 'cancelled' AND k.is_deleted = 0
    AND f.project_key::text IN (${project:sqlstring})
ORDER BY coalesce(f.actual_finish, f.planned_finish) NULLS LAST, k.title, k.task_key
