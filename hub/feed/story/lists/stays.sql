-- Grain: one category of statuses: how long finished tasks of the last 90 days stayed in it, in days of elapsed time.
WITH stay AS (
    SELECT i.task_key, i.category, sum(epoch(i.left_at) - epoch(i.entered_at)) / 86400.0 AS days
    FROM kpi_interval i JOIN dim_task k USING (task_key)
    WHERE i.left_at IS NOT NULL AND k.resolved_at BETWEEN getvariable('as_of_at') - INTERVAL 90 DAY
        AND getvariable('as_of_at') AND i.category NOT IN ('done', 'cancelled')
    GROUP BY ALL
)
SELECT category AS status, count(*) AS tasks, median(days) AS median_days, quantile_disc(days, 0.85) AS p85_days
FROM stay GROUP BY 1 ORDER BY median_days DESC
