-- Jalons tenus | Milestones on time
-- scope: project
-- measures: due count, on_time count, ratio share = on_time / due
-- captions: due Jalons échus | Milestones due; on_time Jalons tenus | Milestones on time; ratio Part des jalons tenus
--   | Share of milestones on time
-- headline: ratio
-- receipt: milestones
-- version: 2
-- definition: milestones finished by their baseline date, of those whose baseline date has come.
-- edge cases: a baselined milestone that was cancelled or deleted was not held; none due gives NULL, not 100 %.
SELECT d.project_key, count(t.task_key) AS due,
    count(t.task_key) FILTER (t.actual_finish <= t.baseline_finish) AS on_time,
    count(t.task_key) FILTER (t.actual_finish <= t.baseline_finish)::DOUBLE / nullif(count(t.task_key), 0) AS ratio
FROM dim_project d LEFT JOIN kpi_task t ON t.project_key = d.project_key AND t.kind = 'milestone'
    AND t.baseline_finish <= getvariable('as_of')
GROUP BY 1
