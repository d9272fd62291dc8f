-- Grain: one resource on one task now.
SELECT a.assignment_id, a.task_key, a.project_key, a.person_key, p.name AS project_name, k.title,
    r.person_label, t.is_active, t.per_day, a.units,
    coalesce(a.start_date, a.finish_date) AS start, coalesce(a.finish_date, a.start_date) AS finish,
    pd_hours(a.planned_days, coalesce(s.seconds_per_day, 28800)) AS work,
    pd_hours(a.actual_days, coalesce(s.seconds_per_day, 28800)) AS actual_work,
    pd_hours(a.remaining_days, coalesce(s.seconds_per_day, 28800)) AS remaining_work,
    a.cost_amount, a.actual_cost_amount, a.remaining_cost_amount, t.baseline_start, t.baseline_finish,
    -- the baseline is the task's: it is shared as the planned work is
    t.baseline_work * q.share AS baseline_work, t.baseline_amount * q.share AS baseline_amount
FROM fact_assignment a
    JOIN (SELECT assignment_id, CASE WHEN sum(planned_days) OVER (PARTITION BY task_key) > 0
                THEN coalesce(planned_days, 0) / sum(planned_days) OVER (PARTITION BY task_key)
            ELSE 1.0 / count(*) OVER (PARTITION BY task_key) END AS share FROM fact_assignment) q
        ON q.assignment_id = a.assignment_id
    LEFT JOIN pd_task t ON t.task_key = a.task_key LEFT JOIN dim_task k ON k.task_key = a.task_key
    LEFT JOIN dim_project p ON p.project_key = a.project_key
    LEFT JOIN dim_person r ON r.person_key = a.person_key
    LEFT JOIN dim_source s ON s.source_key = a.source_key
