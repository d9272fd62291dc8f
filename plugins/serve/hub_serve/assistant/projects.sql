-- Grain: one project, the reddest first.
SELECT p.code, p.name, p.program, p.portfolio, p.phase, p.state, w.declared, w.computed, w.trend,
    CASE ? WHEN 'fr' THEN w.reason_fr ELSE w.reason_en END AS reason, w.confidence
FROM dim_project p LEFT JOIN fact_weather w ON w.project_key = p.project_key AND w.cut_key = 0
WHERE p.project_key <> -1
ORDER BY array_position(['red', 'amber', 'green'], coalesce(w.computed, w.declared)) NULLS LAST, p.code
