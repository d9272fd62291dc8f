-- Grain: one kind of SLA and month, of a project or the whole portfolio (no project): the last twelve months.
SELECT CASE WHEN scope_kind = 'project' THEN project_key END AS project, split_part(measure, '.', 2) AS metric,
    period_start AS month, value AS compliance, numerator AS met, denominator AS measured
FROM fact_kpi
WHERE cut_key = getvariable('cut') AND kpi = 'SLA' AND measure LIKE 'compliance.%' AND value IS NOT NULL
    AND (scope_kind = 'project' OR (scope_kind = 'portfolio' AND scope_label = '*'))
    AND period_start > getvariable('as_of')::DATE - INTERVAL 12 MONTH
ORDER BY project, metric, month
