-- Grain: one clock of an SLA that was breached by the cut, the latest first.
SELECT f.project_key, k.key AS reference, k.title, f.sla_name, f.metric, f.start_at, f.stop_at,
    f.goal_s / 3600.0 AS goal_h, f.elapsed_s / 3600.0 AS elapsed_h, k.url, count(*) OVER () AS n
FROM fact_sla f JOIN dim_task k USING (task_key)
WHERE f.is_breached = 1 AND f.start_at <= getvariable('as_of_at')
ORDER BY coalesce(f.stop_at, getvariable('as_of_at')) DESC, f.start_at DESC, f.sla_id
LIMIT getvariable('most') OFFSET getvariable('skip')
