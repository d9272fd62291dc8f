-- Grain: one project with work in progress at the cut: how many tasks, how old in days.
SELECT f.project_key, count(*) AS tasks,
    median(date_diff('day', coalesce(k.started_at, k.created_at)::DATE, getvariable('as_of')::DATE))::DOUBLE
        AS median_age,
    max(date_diff('day', coalesce(k.started_at, k.created_at)::DATE, getvariable('as_of')::DATE))::DOUBLE AS oldest
FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
WHERE f.cut_key = getvariable('cut') AND s.category = 'in_progress' AND k.is_leaf = 1 AND coalesce(k.is_deleted, 0) = 0
    AND f.project_key <> -1
GROUP BY 1 ORDER BY tasks DESC, 1
