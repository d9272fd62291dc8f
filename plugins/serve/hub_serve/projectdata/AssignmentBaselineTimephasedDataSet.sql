-- Grain: one assignment of a task that has a baseline and a working day between its dates, in equal parts.
WITH day AS (
    SELECT a.*, coalesce(d.date, a.baseline_start) AS day, count(*) OVER (PARTITION BY a.assignment_id) AS days
    FROM (SELECT * REPLACE (coalesce(baseline_start, baseline_finish) AS baseline_start,
                coalesce(baseline_finish, baseline_start) AS baseline_finish) FROM pd_assignment
            WHERE coalesce(baseline_start, baseline_finish) IS NOT NULL AND baseline_work IS NOT NULL) a
        LEFT JOIN pd_workday d ON d.date BETWEEN a.baseline_start AND a.baseline_finish
)
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('assignment', assignment_id) AS AssignmentId,
    day::TIMESTAMP AS TimeByDay, 0::INTEGER AS BaselineNumber, pd_task_id(task_key) AS TaskId,
    pd_guid('resource', person_key) AS ResourceId, project_name AS ProjectName, title AS TaskName,
    (baseline_work / days)::DECIMAL(18,6) AS AssignmentBaselineWork,
        pd_money(baseline_amount / days) AS AssignmentBaselineCost
FROM day
