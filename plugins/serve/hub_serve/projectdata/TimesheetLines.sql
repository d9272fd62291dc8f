-- Grain: one person (or team), period, project, task, kind of hours, state and source.
SELECT pd_guid('line', l.line) AS TimesheetLineId, pd_guid('timesheet', any_value(l.sheet)) AS TimesheetId,
    any_value(pd_period(l.first, l.last)) AS TimesheetPeriodId, strftime(min(l.first),
        '%Y-%m-%d') AS TimesheetPeriodName,
    min(l.first)::TIMESTAMP AS PeriodStartDate, max(l.last)::TIMESTAMP + INTERVAL 86399 SECONDS AS PeriodEndDate,
    pd_guid('resource', any_value(l.person_key)) AS TimesheetOwnerId, any_value(r.person_label) AS TimesheetOwner,
    pd_guid('project', any_value(l.project_key)) AS ProjectId, any_value(p.name) AS ProjectName,
    pd_task_id(any_value(l.task_key)) AS TaskId, any_value(k.title) AS TaskName,
    pd_guid('class', any_value(l.category)) AS TimesheetClassId,
        pd_class(any_value(l.category)) AS TimesheetClassName,
    (CASE any_value(l.category) WHEN 'project' THEN 0 WHEN 'absence' THEN 2 ELSE 1 END)::UTINYINT
        AS TimesheetClassType,
    pd_sheet_status(any_value(l.approval)) AS TimesheetStatus,
        pd_line_status(any_value(l.approval)) AS TimesheetLineStatus,
    coalesce(pd_work(sum(l.seconds) FILTER (l.is_billable IS DISTINCT FROM 0)),
        0)::DECIMAL(18,6) AS ActualWorkBillable,
    coalesce(pd_work(sum(l.seconds) FILTER (l.is_billable = 0)), 0)::DECIMAL(18,6) AS ActualWorkNonBillable,
    coalesce(max(l.updated_at), getvariable('pd_moment'))::TIMESTAMP AS ModifiedDate
FROM pd_line l LEFT JOIN dim_person r ON r.person_key = l.person_key
    LEFT JOIN dim_project p ON p.project_key = l.project_key
    LEFT JOIN dim_task k ON k.task_key = l.task_key AND k.task_key <> -1
GROUP BY l.line
