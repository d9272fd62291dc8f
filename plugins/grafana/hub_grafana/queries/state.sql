-- Grain: one project at the cut: what the committee declared, what the figures say, why, and what they stand on.
SELECT p.code AS code, p.name AS name, p.phase AS phase, w.computed AS computed, w.declared AS declared,
    w.trend AS trend, w.reason_{lang} AS reason, w.commentary AS commentary, w.confidence AS confidence,
    w.confidence_{lang} AS confidence_reason
FROM feed.dim_project p LEFT JOIN feed.fact_weather w
    ON w.project_key = p.project_key AND w.cut_key = ${cut:sqlstring}
WHERE p.project_key::text IN (${project:sqlstring})
ORDER BY p.code
