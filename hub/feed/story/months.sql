-- Grain: one project and month, from six months before the cut to six after: hours of the workload plan, and spent.
-- The workload plan is what it is now: a closed cut kept none.
WITH hours AS (
    SELECT project_key, (year_month || '-01')::DATE AS month, planned_s / 3600.0 AS planned_h, NULL AS spent_h
    FROM fact_allocation_week WHERE getvariable('cut') = 0
    UNION ALL SELECT project_key, period_start, NULL, value FROM fact_kpi
    WHERE cut_key = getvariable('cut') AND kpi = 'MONTHLY_SPENT' AND measure LIKE 'hours.%' AND scope_kind = 'project'
)
SELECT project_key, month, sum(planned_h)::DOUBLE AS planned_h, sum(spent_h)::DOUBLE AS spent_h FROM hours
WHERE month BETWEEN date_trunc('month', getvariable('as_of')::DATE) - INTERVAL 6 MONTH
    AND date_trunc('month', getvariable('as_of')::DATE) + INTERVAL 6 MONTH AND project_key <> -1
GROUP BY ALL HAVING planned_h > 0 OR spent_h > 0 ORDER BY project_key, month
