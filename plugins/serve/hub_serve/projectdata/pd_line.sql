-- Grain: one line of hours, with the period of timesheets that it lies in: its ISO week, or its month where only that
-- is told.
SELECT w.*,
    CASE w.grain WHEN 'month' THEN date_trunc('month', w.work_date) ELSE date_trunc('week', w.work_date) END::DATE
        AS first,
    CASE w.grain WHEN 'month' THEN last_day(w.work_date) ELSE date_trunc('week', w.work_date)::DATE + 6 END AS last,
    concat_ws('/', w.person_key, CASE w.grain WHEN 'month' THEN date_trunc('month', w.work_date)
        ELSE date_trunc('week', w.work_date) END::DATE, w.grain = 'month') AS sheet,
    concat_ws('/', w.person_key, CASE w.grain WHEN 'month' THEN date_trunc('month', w.work_date)
        ELSE date_trunc('week', w.work_date) END::DATE, w.grain = 'month', w.project_key, w.task_key, w.category,
        coalesce(w.approval, ''), w.source_key) AS line
FROM fact_worklog w
