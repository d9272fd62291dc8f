-- Grain: one line of a timesheet. Actual work of schedules is left out unless its plan is the authority for actuals.
-- Hours of several days are a line a day, ``id@day``. A sealed month keeps its lines; what changed in it later is a
-- signed line of its own, with sealed_month filled.
SELECT l.line_id AS worklog_id, l.day::DATE AS work_date, replace(l.day, '-', '')::BIGINT AS date_key, l.project_key,
    l.task_key,
    coalesce(w.person_key, e.person_key, -1) AS person_key, coalesce(w.source_key, e.source_key, -1) AS source_key,
    l.category, l.flag AS is_billable, l.approval,
    l.seconds, l.days, l.amount_minor / 100.0 AS amount,
    coalesce(w.updated_at, e.updated_at)::TIMESTAMPTZ AS updated_at, l.sealed_month, 'day' AS grain
FROM line l LEFT JOIN worklog_place w ON w.id = l.row_id
    -- the row that a day was entered with, where that day is no longer of it
    LEFT JOIN span_row e ON w.id IS NULL AND e.id = left(l.row_id, -11)
WHERE l.kind = 'hours'
