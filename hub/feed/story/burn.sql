-- Grain: one project and day: points done and in scope, up to the cut.
SELECT s.project_key, d.date, s.points_done AS done, s.points_scope AS scope
FROM fact_project_snapshot s JOIN dim_date d USING (date_key)
WHERE d.date <= getvariable('as_of')::DATE AND s.points_scope IS NOT NULL AND s.project_key <> -1
ORDER BY s.project_key, d.date
