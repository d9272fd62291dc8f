-- Grain: one project that has a baseline: the one that counts of each task, deleted and cancelled tasks too.
SELECT pd_guid('project', project_key) AS ProjectId, 0::INTEGER AS BaselineNumber,
    any_value(project_name) AS ProjectName,
    min(baseline_start)::TIMESTAMP AS ProjectBaselineStartDate,
    max(baseline_finish)::TIMESTAMP AS ProjectBaselineFinishDate,
    sum(baseline_work)::DECIMAL(18,6) AS ProjectBaselineWork, pd_money(sum(baseline_amount)) AS ProjectBaselineCost,
    pd_hours(pd_between(min(baseline_start), max(baseline_finish)) + 1, max(per_day)) AS ProjectBaselineDuration
FROM pd_task WHERE coalesce(baseline_start, baseline_finish) IS NOT NULL OR baseline_work IS NOT NULL
GROUP BY project_key
