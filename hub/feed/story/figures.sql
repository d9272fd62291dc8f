-- Grain: one measure of one KPI of a project, or of the whole portfolio (no project), of the period to show at the cut.
SELECT CASE WHEN scope_kind = 'project' THEN project_key END AS project, kpi, measure, value, unit, rag, target,
    coverage, period
FROM fact_kpi
WHERE cut_key = getvariable('cut') AND is_last_period = 1
    AND (scope_kind = 'project' OR (scope_kind = 'portfolio' AND scope_label = '*'))
ORDER BY project, kpi, measure
