-- Grain: one project: when its work begins and ends, planned and in its baseline.
SELECT f.project_key, min(coalesce(f.actual_start, f.planned_start)) AS start,
    max(coalesce(f.actual_finish, f.planned_finish)) AS finish,
    min(f.baseline_start) AS baseline_start, max(f.baseline_finish) AS baseline_finish
FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
WHERE f.cut_key = getvariable('cut') AND k.kind <> 'summary' AND s.category <> 'cancelled' AND f.project_key <> -1
GROUP BY 1 HAVING finish IS NOT NULL AND start IS NOT NULL ORDER BY start, f.project_key
