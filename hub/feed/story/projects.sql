-- Grain: one project that the cut knows something of; of now also one of which nothing is known yet, and none that is
-- closed. A plan that nobody gave a code is called by its name.
WITH known AS (
    SELECT project_key FROM fact_weather WHERE cut_key = getvariable('cut')
    UNION SELECT project_key FROM fact_kpi WHERE cut_key = getvariable('cut') AND scope_kind = 'project'
        AND kpi IN ('RAF', 'LANDING', 'EVM_DAYS') AND value <> 0
    UNION SELECT project_key FROM fact_task_snapshot WHERE cut_key = getvariable('cut')
    UNION SELECT project_key FROM dim_project WHERE getvariable('cut') = 0
), said AS (
    SELECT project_key, coalesce(any_value(trend) FILTER (lower(axis) = 'overall'), any_value(trend)) AS trend
    FROM fact_assessment WHERE cut_key = getvariable('cut') GROUP BY 1
)
SELECT p.project_key,
    coalesce(p.code, CASE WHEN count(*) OVER (PARTITION BY p.code, p.name) > 1 THEN p.name || ' #' || abs(p.project_key)
        ELSE p.name END) AS code, p.name, p.program, p.portfolio, p.phase, p.state, w.declared, w.computed,
    coalesce(w.trend,
        CASE s.trend WHEN 'up' THEN 'better' WHEN 'down' THEN 'worse' WHEN 'flat' THEN 'same' END) AS trend,
    coalesce(w.is_contradicted, 0) = 1 AS is_contradicted,
    CASE getvariable('lang') WHEN 'fr' THEN w.reason_fr ELSE w.reason_en END AS reason, w.commentary, w.confidence,
    CASE getvariable('lang') WHEN 'fr' THEN w.confidence_fr ELSE w.confidence_en END AS confidence_reason
FROM dim_project p JOIN known k USING (project_key)
    LEFT JOIN fact_weather w ON w.project_key = p.project_key AND w.cut_key = getvariable('cut')
    LEFT JOIN said s ON s.project_key = p.project_key
WHERE p.project_key <> -1 AND (getvariable('cut') <> 0 OR p.state IS DISTINCT FROM 'closed')
ORDER BY list_position(['red', 'amber', 'green'], coalesce(w.computed, w.declared)) NULLS LAST, p.code
