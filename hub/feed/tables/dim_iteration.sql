-- Grain: one iteration. One without a container belongs to the project of most of its tasks.
WITH used AS (
    SELECT iteration_id, first(project_key ORDER BY n DESC, project_key) AS project_key FROM (
        SELECT t.iteration_id, p.project_key, count(*) AS n FROM task t JOIN task_place p ON p.task_id = t.id
        WHERE t.counted AND t.iteration_id IS NOT NULL AND p.project_key <> -1 GROUP BY ALL) GROUP BY 1
), placed AS (
    SELECT i.*, coalesce(h.project_key, u.project_key, -1) AS project_key
    FROM iteration i LEFT JOIN home h ON h.container_id = i.container_id LEFT JOIN used u ON u.iteration_id = i.id
)
SELECT key AS iteration_key, CASE WHEN counted THEN project_key ELSE -1 END AS project_key, name,
    row_number() OVER (PARTITION BY CASE WHEN counted THEN project_key END, source_id, container_id
        ORDER BY start_at, key) AS ordinal,
    left(start_at, 10)::DATE AS start_date, left(coalesce(completed_at, finish_at), 10)::DATE AS finish_date, state
FROM placed
UNION ALL SELECT -1, -1, '-', 0, NULL, NULL, NULL
UNION ALL BY NAME SELECT * FROM cut_iteration c
    WHERE NOT EXISTS (SELECT 1 FROM iteration i WHERE i.key = c.iteration_key)
