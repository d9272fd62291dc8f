-- Grain: one iteration.
SELECT i.key AS iteration_key, coalesce(p.project_key, -1) AS project_key, i.name,
    row_number() OVER (PARTITION BY i.container_id ORDER BY i.start_at, i.key) AS ordinal,
    left(i.start_at, 10)::DATE AS start_date, left(coalesce(i.completed_at, i.finish_at), 10)::DATE AS finish_date, i.state
FROM iteration i LEFT JOIN place p ON p.container_id = i.container_id WHERE i.counted
UNION ALL SELECT -1, -1, '-', 0, NULL, NULL, NULL
