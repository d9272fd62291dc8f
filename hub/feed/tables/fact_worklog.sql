-- Grain: one line of a timesheet. Actual work of schedules is left out unless its plan is the authority for actuals.
SELECT w.id AS worklog_id, w.day::DATE AS work_date,
    replace(w.day, '-', '')::BIGINT AS date_key, w.project_key, coalesce(t.key, -1) AS task_key,
    coalesce(-1 - a.key, -1) AS person_key, s.key AS source_key, w.category, w.billable AS is_billable, w.approval, w.seconds,
    w.seconds / coalesce(c.seconds_per_day, s.seconds_per_day) AS days, w.updated_at::TIMESTAMPTZ AS updated_at
FROM worklog_place w JOIN source s ON s.id = w.source_id LEFT JOIN task t ON t.id = w.task_id
    LEFT JOIN container c ON c.id = w.in_container LEFT JOIN account a ON a.id = w.account_id
WHERE w.reason IS NULL
