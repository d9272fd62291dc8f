-- Grain: one project; 1 where the figures say red now and did not at the cut before.
SELECT p.project_key::text AS project_key, concat_ws(' ', p.code, p.name) AS project,
    CASE WHEN w.computed = 'red' AND b.cut_key IS NOT NULL AND v.computed IS DISTINCT FROM 'red' THEN 1 ELSE 0 END
        AS value
FROM feed.fact_weather w
    JOIN feed.dim_cut c ON c.cut_key = w.cut_key AND c.is_latest = 1
    JOIN feed.dim_project p ON p.project_key = w.project_key
    LEFT JOIN feed.dim_cut b ON b.ordinal = c.previous_ordinal
    LEFT JOIN feed.fact_weather v ON v.cut_key = b.cut_key AND v.project_key = w.project_key
WHERE w.project_key <> -1 ORDER BY p.code, p.project_key
