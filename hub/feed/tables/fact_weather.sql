-- Grain: one project at one cut that something is known of. Declared: the overall word of the committee, else the worst
-- of its axes. Computed: the worst colour of the figures that count, of the last period only.
WITH rank AS (SELECT * FROM (VALUES ('red', 1), ('amber', 2), ('green', 3)) r(rag, place)
), axis AS (
    SELECT a.cut_key, a.project_key, a.rag, r.place, lower(a.axis) = 'overall' AS overall
    FROM fact_assessment a LEFT JOIN rank r USING (rag)
), said AS (
    SELECT cut_key, project_key, coalesce(any_value(rag) FILTER (overall), arg_min(rag, place)) AS declared
    FROM axis GROUP BY ALL
), figure AS (
    SELECT f.*, r.place, k.fr, k.en, CASE WHEN f.value < f.threshold THEN ' < ' ELSE ' > ' END AS sign
    FROM fact_kpi f JOIN rank r USING (rag)
        LEFT JOIN kpi_caption k ON k.kpi = f.kpi AND k.measure = split_part(f.measure, '.', 1)
    WHERE f.scope_kind = 'project' AND f.is_last_period = 1 AND coalesce(f.is_in_weather, 1) = 1
        AND f.measure <> 'anomaly_effort_share'  -- no projection shows it
), told AS (
    SELECT cut_key, project_key, arg_min(rag, place) AS computed, min(place) AS worst FROM figure GROUP BY ALL
), why AS (
    SELECT f.cut_key, f.project_key,
        string_agg(f.fr || ' ' || written(f.value, f.unit, 'fr')
            || coalesce(f.sign || written(f.threshold, f.unit, 'fr'), ''), ' ; ' ORDER BY f.kpi, f.measure) AS fr,
        string_agg(f.en || ' ' || written(f.value, f.unit, 'en')
            || coalesce(f.sign || written(f.threshold, f.unit, 'en'), ''), '; ' ORDER BY f.kpi, f.measure) AS en
    FROM figure f JOIN told t ON t.cut_key = f.cut_key AND t.project_key = f.project_key AND t.worst = f.place
    WHERE f.rag <> 'green' GROUP BY ALL
)
SELECT coalesce(s.cut_key, t.cut_key) AS cut_key, coalesce(s.project_key, t.project_key) AS project_key, declared,
    computed, w.fr AS reason_fr, w.en AS reason_en,
    coalesce(declared = 'green' AND computed = 'red', false)::INTEGER AS is_contradicted
FROM said s FULL JOIN told t ON s.cut_key = t.cut_key AND s.project_key = t.project_key
    LEFT JOIN why w ON w.cut_key = t.cut_key AND w.project_key = t.project_key
