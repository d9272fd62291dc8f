-- Grain: one source, with what its KPIs say at the cut.
SELECT s.source_key, s.name, s.plugin, s.last_success_at, s.freshness_max_s, s.verdict,
    max(f.value) FILTER (f.kpi = 'FRESHNESS' AND f.measure = 'fresh') AS fresh,
    max(f.value) FILTER (f.kpi = 'DQ_SOURCE' AND f.measure = 'score') AS score,
    (SELECT count(*) FROM dim_task t WHERE t.source_key = s.source_key AND coalesce(t.is_deleted, 0) = 0) AS tasks,
    (SELECT count(*) FROM fact_worklog w WHERE w.source_key = s.source_key) AS worklogs
FROM dim_source s LEFT JOIN fact_kpi f ON f.scope_kind = 'source' AND f.scope_key = s.source_key
    AND f.cut_key = getvariable('cut') AND f.is_last_period = 1
GROUP BY ALL ORDER BY s.name
