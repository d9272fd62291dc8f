-- Grain: one task that has a baseline: the one that counts, under the number 0 that reports ask for.
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('task', task_key) AS TaskId, 0::INTEGER AS BaselineNumber,
    project_name AS ProjectName, title AS TaskName, baseline_start::TIMESTAMP AS TaskBaselineStartDate,
    baseline_finish::TIMESTAMP AS TaskBaselineFinishDate, baseline_work AS TaskBaselineWork,
    pd_hours(pd_between(baseline_start, baseline_finish) + 1, per_day) AS TaskBaselineDuration,
    pd_money(baseline_amount) AS TaskBaselineCost
FROM pd_task WHERE coalesce(baseline_start, baseline_finish) IS NOT NULL OR baseline_work IS NOT NULL
