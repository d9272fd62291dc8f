-- Grain: one figure of the catalogue for a project, of its last period.
SELECT k.kpi || ' ' || k.measure AS figure, k.value AS value, k.unit AS unit, k.rag AS rag, k.target AS target,
    k.threshold AS threshold, k.numerator AS numerator, k.denominator AS denominator, k.coverage AS coverage,
    k.period AS period, k.method AS method
FROM feed.fact_kpi k
WHERE k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1 AND k.scope_kind = 'project'
    AND k.project_key::text IN (${project:sqlstring})
ORDER BY array_position(ARRAY['red', 'amber', 'green'], k.rag), k.kpi, k.measure, k.period
