-- Glissement des jalons | Milestone slip
-- scope: task
-- measures: slip_days duration, slip_workdays duration
-- captions: slip_days Pire glissement de jalon (jours) | Worst milestone slip (days); slip_workdays Pire glissement de
--   jalon (jours ouvrés) | Worst milestone slip (working days)
-- rollup: project | max(slip_days) AS slip_days, max(slip_workdays) AS slip_workdays
-- headline: slip_days
-- receipt: milestones
-- definition: (actual finish, else forecast) − baseline finish, in calendar and in working days.
-- edge cases: no baseline gives NULL; the forecast of an open milestone that lies in the past becomes the day of the
--   cut.
SELECT project_key, task_key, title, baseline_finish, coalesce(actual_finish, planned_finish) AS said_finish, forecast,
    category,
    forecast - baseline_finish AS slip_days, (n.workday_seq - b.workday_seq)::BIGINT AS slip_workdays
FROM (SELECT *, CASE WHEN actual_finish IS NOT NULL OR NOT is_open THEN coalesce(actual_finish, planned_finish)
        ELSE greatest(planned_finish, CASE WHEN planned_finish IS NOT NULL
            THEN getvariable('as_of') END) END AS forecast FROM kpi_task WHERE kind = 'milestone') t
    LEFT JOIN dim_date b ON b.date = t.baseline_finish LEFT JOIN dim_date n ON n.date = t.forecast
ORDER BY task_key
