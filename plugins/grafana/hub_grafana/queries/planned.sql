-- Grain: one month and project: the hours of the workload plan as it is now.
SELECT (a.year_month || '-01')::timestamp AT TIME ZONE 'UTC' AS time, p.code AS metric,
    sum(a.planned_s) / 3600.0 AS value
FROM feed.fact_allocation_week a JOIN feed.dim_project p ON p.project_key = a.project_key
WHERE a.project_key::text IN (${project:sqlstring}) AND a.planned_s > 0
GROUP BY 1, 2 ORDER BY 1, 2
