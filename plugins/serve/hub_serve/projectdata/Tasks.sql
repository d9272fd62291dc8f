-- Grain: one task that is there now. A summary has its own work only, so that a plain sum is right.
WITH RECURSIVE level AS (
    SELECT task_key, 1 AS depth FROM pd_task t
    WHERE NOT EXISTS (SELECT 1 FROM pd_task p WHERE p.task_key = t.parent_task_key)
    UNION ALL SELECT t.task_key, l.depth + 1 FROM pd_task t JOIN level l ON l.task_key = t.parent_task_key
    WHERE l.depth < 50
)
SELECT pd_guid('project', t.project_key) AS ProjectId, pd_guid('task', t.task_key) AS TaskId,
    t.project_name AS ProjectName, t.title AS TaskName,
    pd_guid('task', coalesce(p.task_key, t.task_key)) AS ParentTaskId, coalesce(p.title,
        t.project_name) AS ParentTaskName,
    t.wbs AS TaskWBS, l.depth::SMALLINT AS TaskOutlineLevel,
    row_number() OVER (PARTITION BY t.project_key ORDER BY t.task_key)::INTEGER AS TaskIndex,
    t.start::TIMESTAMP AS TaskStartDate, t.finish::TIMESTAMP AS TaskFinishDate,
    t.actual_start::TIMESTAMP AS TaskActualStartDate, t.actual_finish::TIMESTAMP AS TaskActualFinishDate,
    t.deadline::TIMESTAMP AS TaskDeadline, t.created_at::TIMESTAMP AS TaskCreatedDate,
    getvariable('pd_moment')::TIMESTAMP AS TaskModifiedDate, pd_hours(t.duration_days, t.per_day) AS TaskDuration,
    pd_hours(t.total_slack_days, t.per_day) AS TaskTotalSlack, pd_hours(t.free_slack_days,
        t.per_day) AS TaskFreeSlack,
    pd_hours(pd_between(t.baseline_start, t.start), t.per_day) AS TaskStartVariance,
    pd_hours(pd_between(t.baseline_finish, t.finish), t.per_day) AS TaskFinishVariance,
    t.work AS TaskWork, t.actual_work AS TaskActualWork, t.remaining_work::DECIMAL(18,6) AS TaskRemainingWork,
    (t.work - t.baseline_work)::DECIMAL(18,6) AS TaskWorkVariance, round(t.percent)::SMALLINT AS TaskPercentCompleted,
    round(100 * t.actual_work / nullif(t.actual_work + t.remaining_work, 0))::SMALLINT AS TaskPercentWorkCompleted,
    pd_money(t.cost_amount) AS TaskCost, pd_money(t.actual_cost_amount) AS TaskActualCost,
    pd_money(t.remaining_cost_amount) AS TaskRemainingCost,
    pd_money(t.cost_amount - t.baseline_amount) AS TaskCostVariance,
    try_cast(t.priority AS SMALLINT) AS TaskPriority, t.is_active AS TaskIsActive,
        t.kind = 'summary' AS TaskIsSummary,
    t.kind = 'milestone' AS TaskIsMilestone, t.is_critical = 1 AS TaskIsCritical, false AS TaskIsProjectSummary,
    t.url AS TaskHyperLinkAddress
FROM pd_task t JOIN level l ON l.task_key = t.task_key LEFT JOIN pd_task p ON p.task_key = t.parent_task_key
WHERE coalesce(t.is_deleted, 0) = 0
