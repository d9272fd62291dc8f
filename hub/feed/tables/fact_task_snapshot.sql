-- Grain: one counted task at one cut. Effort counts where the container is the project's authority for it.
SELECT 0 AS cut_key, t.key AS task_key, coalesce(p.project_key, -1) AS project_key,
    CASE coalesce(t.status_native, CASE WHEN t.percent >= 100 OR t.actual_finish_on IS NOT NULL THEN 'done'
        WHEN t.percent > 0 OR t.actual_start_on IS NOT NULL THEN 'in_progress' END)
        WHEN 'todo' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'done' THEN 3 WHEN 'cancelled' THEN 4 ELSE -1 END AS status_key,
    coalesce(-1 - a.key, -1) AS person_key, coalesce(i.key, -1) AS iteration_key,
    b.start_on::DATE AS baseline_start, b.finish_on::DATE AS baseline_finish,
    t.planned_start_on::DATE AS planned_start, coalesce(t.planned_finish_on, t.due_on)::DATE AS planned_finish,
    t.actual_start_on::DATE AS actual_start, t.actual_finish_on::DATE AS actual_finish, t.percent,
    CASE WHEN coalesce(p.baseline, true) THEN b.effort_s / coalesce(p.seconds_per_day, s.seconds_per_day) END AS baseline_days,
    CASE WHEN coalesce(p.baseline, true) AND coalesce(b.currency, getvariable('currency')) = getvariable('currency')
        THEN b.cost_minor / 100.0 END AS baseline_amount,
    CASE WHEN coalesce(p.effort, true) THEN t.estimate_s / coalesce(p.seconds_per_day, s.seconds_per_day) END AS estimate_days,
    CASE WHEN coalesce(p.effort, true) THEN t.spent_s / coalesce(p.seconds_per_day, s.seconds_per_day) END AS spent_days,
    CASE WHEN coalesce(p.effort, true) THEN t.remaining_s / coalesce(p.seconds_per_day, s.seconds_per_day) END AS remaining_days,
    CASE WHEN coalesce(p.effort, true) THEN t.points END AS points, coalesce(p.effort, true)::INTEGER AS is_effort_counted,
    t.estimate_s / coalesce(p.seconds_per_day, s.seconds_per_day) AS reported_days
FROM task t JOIN source s ON s.id = t.source_id LEFT JOIN place p ON p.container_id = t.container_id
    LEFT JOIN account a ON a.id = t.assignee_id LEFT JOIN iteration i ON i.id = t.iteration_id AND i.counted
    LEFT JOIN baseline b ON b.task_id = t.id AND b.no = 0 AND b.origin = 'source' AND b.counted
WHERE t.counted
