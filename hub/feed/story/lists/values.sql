-- Grain: one measure of a KPI at the cut, of the period to show: of a project, team, source, or the whole.
SELECT scope_kind, scope_label, CASE WHEN scope_kind = 'project' THEN project_key END AS project, measure, period,
    value, unit, rag, target, threshold, coverage, method
FROM fact_kpi
WHERE cut_key = getvariable('cut') AND kpi = getvariable('kpi') AND is_last_period = 1
ORDER BY list_position(['portfolio', 'program', 'project', 'team', 'source'], scope_kind), scope_label <> '*',
    scope_label, measure
