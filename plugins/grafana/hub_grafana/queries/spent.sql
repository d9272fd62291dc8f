-- Grain: one month and nature of work up to the cut: the person-days that the chosen projects spent.
SELECT k.period_start::timestamp AT TIME ZONE 'UTC' AS time, split_part(k.measure, '.', 2) AS metric,
    sum(k.value) AS value
FROM feed.fact_kpi k
WHERE k.cut_key = ${cut:sqlstring} AND k.kpi = 'MONTHLY_SPENT' AND k.measure LIKE 'days.%'
    AND k.scope_kind = 'project' AND k.project_key::text IN (${project:sqlstring})
GROUP BY 1, 2 ORDER BY 1, 2
