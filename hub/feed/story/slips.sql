-- Grain: one project and committee up to the cut, and the cut itself: its worst milestone slip in days.
SELECT f.project_key, c.as_of,
    CASE WHEN c.cut_key > 0 THEN c.label WHEN getvariable('lang') = 'fr' THEN 'Aujourd''hui' ELSE 'Now' END AS label,
    f.value AS slip_days
FROM fact_kpi f JOIN dim_cut c USING (cut_key), (SELECT * FROM dim_cut WHERE cut_key = getvariable('cut')) n
WHERE f.kpi = 'MILESTONE_SLIP' AND f.measure = 'slip_days' AND f.scope_kind = 'project' AND f.value IS NOT NULL
    AND (c.kind = 'copil' OR c.cut_key = n.cut_key) AND c.ordinal <= n.ordinal
ORDER BY f.project_key, c.ordinal
