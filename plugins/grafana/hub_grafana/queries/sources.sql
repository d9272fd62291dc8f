-- Grain: one source: how old it is now, how its last run ended, and its figures at the cut.
SELECT s.name AS source, s.plugin AS plugin, s.verdict AS verdict, s.last_success_at AS last_success_at,
    extract(epoch FROM now() - s.last_success_at) / 3600 AS age_h, s.freshness_max_s / 3600.0 AS limit_h,
    max(k.value) FILTER (WHERE k.kpi = 'FRESHNESS' AND k.measure = 'fresh') AS "FRESHNESS fresh",
    max(k.value) FILTER (WHERE k.kpi = 'DQ_SOURCE' AND k.measure = 'score') AS "DQ_SOURCE score"
FROM feed.dim_source s LEFT JOIN feed.fact_kpi k ON k.scope_kind = 'source' AND k.scope_key = s.source_key
    AND k.is_last_period = 1 AND k.cut_key = ${cut:sqlstring}
WHERE s.source_key <> -1
GROUP BY s.source_key, s.name, s.plugin, s.verdict, s.last_success_at, s.freshness_max_s
ORDER BY s.name
