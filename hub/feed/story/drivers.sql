-- Grain: one task that drives the finish of its project as forecast now.
SELECT d.project_key, k.title, d.criticality, d.early_days, d.late_days
FROM fact_forecast_driver d JOIN dim_task k USING (task_key) WHERE getvariable('cut') = 0
ORDER BY d.project_key, d.criticality DESC, d.task_key
