-- Grain: one team at the cut: its figures of the last week, or month, that the catalogue shows.
SELECT k.scope_label AS team,
    max(k.value) FILTER (WHERE k.kpi = 'LOAD_TEAM' AND k.measure = 'load') AS "LOAD_TEAM load",
    max(k.value) FILTER (WHERE k.kpi = 'LOAD_TEAM' AND k.measure = 'allocated_h') AS "LOAD_TEAM allocated_h",
    max(k.value) FILTER (WHERE k.kpi = 'LOAD_TEAM' AND k.measure = 'available_h') AS "LOAD_TEAM available_h",
    max(k.value) FILTER (WHERE k.kpi = 'OVERALLOCATION' AND k.measure = 'overloaded') AS "OVERALLOCATION overloaded",
    max(k.value) FILTER (WHERE k.kpi = 'OVERALLOCATION' AND k.measure = 'above_h') AS "OVERALLOCATION above_h",
    max(k.value) FILTER (WHERE k.kpi = 'TIMESHEET_COMPLETENESS' AND k.measure = 'completeness')
        AS "TIMESHEET_COMPLETENESS completeness",
    max(k.value) FILTER (WHERE k.kpi = 'TACE' AND k.measure = 'tace') AS "TACE tace"
FROM feed.fact_kpi k
WHERE k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1 AND k.scope_kind = 'team'
GROUP BY k.scope_label ORDER BY k.scope_label
