-- Grain: one team and week: its load. At levels of sums a week without work beside weeks that are not shown would look
-- free: it is not told.
SELECT k.period_start::timestamp AT TIME ZONE 'UTC' AS time, k.scope_label AS metric, k.value AS value
FROM feed.fact_kpi k
WHERE k.cut_key = ${cut:sqlstring} AND k.kpi = 'LOAD_TEAM' AND k.measure = 'load' AND k.scope_kind = 'team'
    AND k.grain = 'week' AND k.value > 0
ORDER BY 1, 2
