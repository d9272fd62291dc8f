-- Grain: one assignment of a task that has a baseline: the task's, shared as the planned work is.
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('assignment', assignment_id) AS AssignmentId,
    0::INTEGER AS BaselineNumber, pd_task_id(task_key) AS TaskId, project_name AS ProjectName, title AS TaskName,
    baseline_start::TIMESTAMP AS AssignmentBaselineStartDate,
    baseline_finish::TIMESTAMP AS AssignmentBaselineFinishDate,
    baseline_work::DECIMAL(18,6) AS AssignmentBaselineWork, pd_money(baseline_amount) AS AssignmentBaselineCost
FROM pd_assignment WHERE coalesce(baseline_start, baseline_finish) IS NOT NULL OR baseline_work IS NOT NULL
