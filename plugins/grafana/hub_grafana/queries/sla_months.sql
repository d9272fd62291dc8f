-- Grain: one month and service level: the share that the chosen projects met, a ratio of sums.
SELECT k.period_start::timestamp AT TIME ZONE 'UTC' AS time, split_part(k.measure, '.', 2) AS metric,
    sum(k.numerator) / nullif(sum(k.denominator), 0) AS value
FROM feed.fact_kpi k
WHERE k.cut_key = ${cut:sqlstring} AND k.kpi = 'SLA' AND k.measure LIKE 'compliance.%' AND k.scope_kind = 'project'
    AND k.project_key::text IN (${project:sqlstring})
GROUP BY 1, 2 ORDER BY 1, 2
