-- Grain: one person (or team) and a period: the state that is furthest from approved.
SELECT pd_guid('timesheet', l.sheet) AS TimesheetId, any_value(pd_period(l.first, l.last)) AS PeriodId,
    strftime(min(l.first), '%Y-%m-%d') AS PeriodName, strftime(min(l.first), '%Y-%m-%d') AS TimesheetName,
    min(l.first)::TIMESTAMP AS StartDate, max(l.last)::TIMESTAMP + INTERVAL 86399 SECONDS AS EndDate,
    pd_guid('resource', any_value(l.person_key)) AS TimesheetOwnerId, any_value(r.person_label) AS TimesheetOwner,
    pd_sheet_status(CASE WHEN bool_or(l.approval = 'rejected') THEN 'rejected'
        WHEN bool_or(l.approval = 'draft') THEN 'draft'
        WHEN bool_or(l.approval = 'submitted') THEN 'submitted'
            WHEN bool_and(l.approval = 'approved') THEN 'approved' END)
        AS StatusDescription,
    coalesce(max(l.updated_at), getvariable('pd_moment'))::TIMESTAMP AS ModifiedDate
FROM pd_line l LEFT JOIN dim_person r ON r.person_key = l.person_key
GROUP BY l.sheet
