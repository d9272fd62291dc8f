-- Burn-up | Burn-up
-- scope: project
-- period: date
-- measures: done points, scope points
-- captions: done Points faits | Points done; scope Points au périmètre | Points in scope
-- receipt: iterations
-- definition: points done against points in scope, at each snapshot of the project.
-- edge cases: a reopened story leaves done on that day, so the curve may go down; an iteration without a snapshot gives
--   no point.
SELECT f.project_key, d.date, f.points_done AS done, f.points_scope AS scope
FROM fact_project_snapshot f JOIN dim_date d USING (date_key)
WHERE d.date <= getvariable('as_of') AND (f.points_done IS NOT NULL OR f.points_scope IS NOT NULL) ORDER BY 1, 2
