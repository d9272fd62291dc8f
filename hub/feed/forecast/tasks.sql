-- Grain: one leaf task of a project at the moment that the KPIs are pointed at, cancelled ones left out. Days are
-- counted from 1970-01-01.
WITH ended AS (
    SELECT task_key, max(entered_at)::DATE AS day FROM kpi_interval
    WHERE left_at IS NULL AND category = 'done' GROUP BY 1
), carried AS (SELECT DISTINCT plan_task_key AS task_key FROM dim_task WHERE plan_task_key <> -1
), known AS (
    SELECT t.project_key, t.task_key, k.kind = 'milestone' AS is_milestone, t.is_open,
        c.task_key IS NOT NULL AS is_carried, t.planned_start, t.planned_finish, t.baseline_start, t.baseline_finish,
        coalesce(t.actual_start, CASE WHEN k.started_at <= getvariable('as_of_at') THEN k.started_at::DATE END)
            AS began,
        CASE WHEN NOT t.is_open THEN least(getvariable('as_of'),
            coalesce(t.actual_finish, e.day, k.resolved_at::DATE)) END AS finished,
        k.created_at::DATE AS created, coalesce(t.percent, 0) / 100 AS done,
        coalesce(t.actual_finish, t.planned_finish) - t.deadline_slip_days::INTEGER AS deadline,
        CASE WHEN k.constraint_type IN ('start_no_earlier', 'must_start') THEN k.constraint_date END AS earliest,
        CASE WHEN k.constraint_type IN ('finish_no_earlier', 'must_finish') THEN k.constraint_date END AS finish_from
    FROM kpi_task t JOIN dim_task k USING (task_key) LEFT JOIN ended e USING (task_key)
        LEFT JOIN carried c USING (task_key)
    WHERE t.project_key <> -1 AND k.is_leaf = 1 AND k.kind <> 'summary' AND t.category <> 'cancelled'
)
SELECT project_key, task_key, is_milestone, is_open, is_carried, done::DOUBLE AS done,
    date_diff('day', DATE '1970-01-01', planned_start)::DOUBLE AS start,
    date_diff('day', DATE '1970-01-01', planned_finish)::DOUBLE AS finish,
    date_diff('day', DATE '1970-01-01', baseline_start)::DOUBLE AS baseline_start,
    date_diff('day', DATE '1970-01-01', baseline_finish)::DOUBLE AS baseline_finish,
    date_diff('day', DATE '1970-01-01', began)::DOUBLE AS began,
    date_diff('day', DATE '1970-01-01', finished)::DOUBLE AS finished,
    date_diff('day', DATE '1970-01-01', created)::DOUBLE AS created,
    date_diff('day', DATE '1970-01-01', deadline)::DOUBLE AS deadline,
    date_diff('day', DATE '1970-01-01', earliest)::DOUBLE AS earliest,
    date_diff('day', DATE '1970-01-01', finish_from)::DOUBLE AS finish_from
FROM known ORDER BY project_key, task_key
