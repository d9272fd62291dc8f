-- Grain: one kind of hours.
SELECT DISTINCT pd_guid('class', category) AS TimesheetClassId, pd_class(category) AS TimesheetClassName,
    (CASE category WHEN 'project' THEN 0 WHEN 'absence' THEN 2 ELSE 1 END)::UTINYINT AS TimesheetClassType
FROM fact_worklog
