-- Grain: one resource on one task now; a task without a person is the unassigned resource's.
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('assignment', assignment_id) AS AssignmentId,
    pd_task_id(task_key) AS TaskId, pd_guid('resource', person_key) AS ResourceId, project_name AS ProjectName,
    title AS TaskName, person_label AS ResourceName, start::TIMESTAMP AS AssignmentStartDate,
    finish::TIMESTAMP AS AssignmentFinishDate, work AS AssignmentWork, actual_work AS AssignmentActualWork,
    remaining_work AS AssignmentRemainingWork,
    round(100 * actual_work / nullif(actual_work + remaining_work, 0))::SMALLINT AS AssignmentPercentWorkCompleted,
    units::DECIMAL(18,6) AS AssignmentPeakUnits, pd_money(cost_amount) AS AssignmentCost,
    pd_money(actual_cost_amount) AS AssignmentActualCost, pd_money(remaining_cost_amount) AS AssignmentRemainingCost,
    pd_money(cost_amount - baseline_amount) AS AssignmentCostVariance,
    (work - baseline_work)::DECIMAL(18,6) AS AssignmentWorkVariance,
    pd_hours(pd_between(baseline_start, start), per_day) AS AssignmentStartVariance,
    pd_hours(pd_between(baseline_finish, finish), per_day) AS AssignmentFinishVariance,
    coalesce(is_active, true) AS TaskIsActive, getvariable('pd_moment')::TIMESTAMP AS AssignmentModifiedDate
FROM pd_assignment
