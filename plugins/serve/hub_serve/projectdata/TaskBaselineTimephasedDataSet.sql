-- Grain: one task that has a baseline and a working day between its dates, in equal parts.
WITH day AS (
    SELECT t.*, coalesce(d.date, t.baseline_start) AS day, count(*) OVER (PARTITION BY t.task_key) AS days
    FROM (SELECT * REPLACE (coalesce(baseline_start, baseline_finish) AS baseline_start,
                coalesce(baseline_finish, baseline_start) AS baseline_finish) FROM pd_task
            WHERE coalesce(baseline_start, baseline_finish) IS NOT NULL AND baseline_work IS NOT NULL) t
        LEFT JOIN pd_workday d ON d.date BETWEEN t.baseline_start AND t.baseline_finish
)
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('task', task_key) AS TaskId, day::TIMESTAMP AS TimeByDay,
    0::INTEGER AS BaselineNumber, project_name AS ProjectName, title AS TaskName,
    (baseline_work / days)::DECIMAL(18,6) AS TaskBaselineWork, pd_money(baseline_amount / days) AS TaskBaselineCost
FROM day
