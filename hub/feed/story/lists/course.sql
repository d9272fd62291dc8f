-- Grain: one cut up to the one asked for, and measure of a KPI of a project or the whole: how it went.
SELECT c.label, c.as_of, f.measure, f.value, f.unit, f.rag
FROM fact_kpi f JOIN dim_cut c USING (cut_key), (SELECT ordinal FROM dim_cut WHERE cut_key = getvariable('cut')) n
WHERE f.kpi = getvariable('kpi') AND f.is_last_period = 1 AND c.ordinal <= n.ordinal
    AND (c.kind = 'copil' OR c.cut_key = getvariable('cut'))
    AND CASE WHEN getvariable('project') IS NULL THEN f.scope_kind = 'portfolio' AND f.scope_label = '*'
        ELSE f.scope_kind = 'project' AND f.project_key = getvariable('project') END
ORDER BY c.ordinal, f.measure
