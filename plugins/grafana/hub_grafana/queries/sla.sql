-- Grain: one project and service level of the last month.
SELECT p.code AS code, p.name AS name, split_part(k.measure, '.', 2) AS sla, k.period AS period,
    k.numerator AS "SLA met", k.denominator AS "SLA measured", k.value AS "SLA compliance",
    k.target AS target, k.rag AS rag
FROM feed.fact_kpi k JOIN feed.dim_project p ON p.project_key = k.project_key
WHERE k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1 AND k.kpi = 'SLA' AND k.measure LIKE 'compliance.%'
    AND k.scope_kind = 'project' AND k.project_key::text IN (${project:sqlstring})
ORDER BY k.value, p.code, 3
