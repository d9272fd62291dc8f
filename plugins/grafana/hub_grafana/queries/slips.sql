-- Grain: one project and committee up to the cut, and the cut itself: its worst milestone slip in days.
SELECT c.as_of::timestamp AT TIME ZONE 'UTC' AS time, coalesce(p.code, p.name) AS metric, k.value AS value
FROM feed.fact_kpi k
    JOIN feed.dim_cut c ON c.cut_key = k.cut_key
    JOIN feed.dim_cut n ON n.cut_key = ${cut:sqlstring}
    JOIN feed.dim_project p ON p.project_key = k.project_key
WHERE k.kpi = 'MILESTONE_SLIP' AND k.measure = 'slip_days' AND k.scope_kind = 'project' AND k.value IS NOT NULL
    AND (c.kind = 'copil' OR c.cut_key = n.cut_key) AND c.ordinal <= n.ordinal
    AND p.project_key::text IN (${project:sqlstring})
ORDER BY 1, 2
