-- Grain: one check of a project and source at the cut that something failed, the most first.
SELECT q.check_code AS check_code, p.code AS code, s.name AS source, q.n_checked AS n_checked, q.n_failed AS n_failed
FROM feed.fact_quality q
    JOIN feed.dim_project p ON p.project_key = q.project_key
    LEFT JOIN feed.dim_source s ON s.source_key = q.source_key
WHERE q.cut_key = ${cut:sqlstring} AND q.n_failed > 0 AND q.project_key::text IN (${project:sqlstring})
ORDER BY q.n_failed DESC, q.check_code, p.code, s.name
