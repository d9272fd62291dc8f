-- Grain: one task of now that has a row at the cut.
SELECT k.task_key, f.project_key, p.name AS project_name, k.title, k.kind, k.is_deleted, k.parent_task_key, k.wbs,
    k.url, k.priority, k.deadline, k.created_at, k.duration_days, f.total_slack_days, k.free_slack_days,
    f.is_critical, coalesce(s.seconds_per_day, 28800) AS per_day, f.status_key IS DISTINCT FROM 4 AS is_active,
    f.status_key IS NULL OR f.status_key NOT IN (3, 4) AS is_open,
    coalesce(f.actual_start, f.planned_start) AS start, coalesce(f.actual_finish, f.planned_finish) AS finish,
    f.actual_start, f.actual_finish, f.percent, f.baseline_start, f.baseline_finish,
    pd_hours(f.baseline_days, coalesce(s.seconds_per_day, 28800)) AS baseline_work, f.baseline_amount,
    pd_hours(f.estimate_days, coalesce(s.seconds_per_day, 28800)) AS work,
    pd_hours(f.spent_days, coalesce(s.seconds_per_day, 28800)) AS actual_work,
    -- a done or cancelled task has nothing left whatever its field says
    CASE WHEN f.status_key IN (3, 4) THEN 0.0 * f.remaining_days ELSE f.remaining_days END
        * coalesce(s.seconds_per_day, 28800) / 3600.0 AS remaining_work,
    f.cost_amount, f.actual_cost_amount, f.remaining_cost_amount
FROM fact_task_snapshot f JOIN dim_task k ON k.task_key = f.task_key
    LEFT JOIN dim_project p ON p.project_key = f.project_key
    LEFT JOIN dim_source s ON s.source_key = k.source_key
WHERE f.cut_key = 0 AND f.task_key <> -1
