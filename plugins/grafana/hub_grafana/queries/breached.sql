-- Grain: one cycle of a service level that runs and is past its goal now.
SELECT p.code AS code, k.key AS key, k.title AS task, l.sla_name AS sla, l.start_at AS start_at,
    l.goal_s / 3600.0 AS goal_h, l.elapsed_s / 3600.0 AS elapsed_h, k.url AS url
FROM feed.fact_sla l
    JOIN feed.dim_task k ON k.task_key = l.task_key
    JOIN feed.dim_project p ON p.project_key = l.project_key
WHERE l.is_breached = 1 AND l.stop_at IS NULL AND l.project_key::text IN (${project:sqlstring})
ORDER BY l.start_at, l.sla_id
