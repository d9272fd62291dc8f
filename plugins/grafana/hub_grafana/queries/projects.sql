-- Grain: one project that the cut has figures of, the reddest first.
SELECT p.project_key::text AS project_key, p.code AS code, p.name AS name, p.program AS program,
    w.computed AS computed, w.declared AS declared, w.trend AS trend, w.reason_{lang} AS reason,
    max(k.value) FILTER (WHERE k.kpi = 'RAF' AND k.measure = 'avancement') AS "RAF avancement",
    max(k.value) FILTER (WHERE k.kpi = 'EVM_DAYS' AND k.measure = 'cpi') AS "EVM_DAYS cpi",
    max(k.value) FILTER (WHERE k.kpi = 'EVM_DAYS' AND k.measure = 'spi') AS "EVM_DAYS spi",
    max(k.value) FILTER (WHERE k.kpi = 'RAF' AND k.measure = 'consomme') AS "RAF consomme",
    max(k.value) FILTER (WHERE k.kpi = 'RAF' AND k.measure = 'raf') AS "RAF raf",
    max(k.value) FILTER (WHERE k.kpi = 'RAF' AND k.measure = 'derive') AS "RAF derive",
    max(k.value) FILTER (WHERE k.kpi = 'MILESTONE_SLIP' AND k.measure = 'slip_days') AS "MILESTONE_SLIP slip_days",
    max(k.value) FILTER (WHERE k.kpi = 'LANDING' AND k.measure = 'landing') AS "LANDING landing",
    max(k.value) FILTER (WHERE k.kpi = 'LANDING' AND k.measure = 'variance') AS "LANDING variance",
    max(k.value) FILTER (WHERE k.kpi = 'RISK' AND k.measure = 'expected_exposure') AS "RISK expected_exposure",
    w.commentary AS commentary
FROM feed.dim_project p
    JOIN feed.fact_kpi k ON k.project_key = p.project_key AND k.scope_kind = 'project'
        AND k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1
    LEFT JOIN feed.fact_weather w ON w.project_key = p.project_key AND w.cut_key = k.cut_key
WHERE p.project_key <> -1 AND p.project_key::text IN (${project:sqlstring})
GROUP BY p.project_key, p.code, p.name, p.program, w.computed, w.declared, w.trend, w.reason_{lang}, w.commentary
ORDER BY array_position(ARRAY['red', 'amber', 'green'], coalesce(w.computed, w.declared)), p.code
