-- Dates limites | Deadlines
-- scope: project
-- measures: with_deadline count, past count, days_past duration
-- captions: with_deadline Tâches avec date limite | Tasks with a deadline; past Dates limites dépassées | Deadlines
--   missed; days_past Pire dépassement de date limite (jours) | Worst days past a deadline
-- headline: past
-- receipt: deadlines
-- definition: tasks whose finish, actual or else planned, is after their deadline, and the largest excess in calendar
--   days.
-- edge cases: an open task that was planned before the day of the cut finishes that day at the earliest; a cancelled
--   one has none; a project without deadlines has no row.
WITH held AS (
    SELECT project_key, coalesce(actual_finish, planned_finish) - deadline_slip_days::INTEGER AS deadline,
        CASE WHEN is_open THEN greatest(planned_finish, getvariable('as_of'))
            ELSE coalesce(actual_finish, planned_finish) END AS finish
    FROM kpi_task WHERE deadline_slip_days IS NOT NULL AND category <> 'cancelled'
)
SELECT project_key, count(*) AS with_deadline, count(*) FILTER (finish > deadline) AS past,
    greatest(max(finish - deadline), 0)::DOUBLE AS days_past
FROM held GROUP BY 1 ORDER BY 1
