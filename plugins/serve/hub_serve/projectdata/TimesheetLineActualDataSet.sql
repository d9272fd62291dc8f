-- Grain: one line of a timesheet and a day (the first of its week or month where only that is told).
SELECT pd_guid('line', l.line) AS TimesheetLineId, l.work_date::TIMESTAMP AS TimeByDay, 0::INTEGER AS AdjustmentIndex,
    any_value(r.person_label) AS ResourceName,
    coalesce(pd_work(sum(l.seconds) FILTER (l.is_billable IS DISTINCT FROM 0)),
        0)::DECIMAL(18,6) AS ActualWorkBillable,
    coalesce(pd_work(sum(l.seconds) FILTER (l.is_billable = 0)), 0)::DECIMAL(18,6) AS ActualWorkNonBillable,
    day(l.work_date)::UTINYINT AS TimeByDay_DayOfMonth, isodow(l.work_date)::UTINYINT AS TimeByDay_DayOfWeek,
    coalesce(max(l.updated_at), getvariable('pd_moment'))::TIMESTAMP AS CreatedDate
FROM pd_line l LEFT JOIN dim_person r ON r.person_key = l.person_key
GROUP BY l.line, l.work_date
