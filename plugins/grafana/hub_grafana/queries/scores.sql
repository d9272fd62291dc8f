-- Grain: one project at the cut: the quality score of its data, and how far its figures can be trusted.
SELECT p.code AS code, p.name AS name, k.value AS "DQ_SCORE score", k.rag AS rag, w.confidence AS confidence,
    w.confidence_{lang} AS confidence_reason
FROM feed.fact_kpi k
    JOIN feed.dim_project p ON p.project_key = k.project_key
    LEFT JOIN feed.fact_weather w ON w.project_key = k.project_key AND w.cut_key = k.cut_key
WHERE k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1 AND k.kpi = 'DQ_SCORE' AND k.measure = 'score'
    AND k.scope_kind = 'project' AND k.project_key::text IN (${project:sqlstring})
ORDER BY k.value, p.code
