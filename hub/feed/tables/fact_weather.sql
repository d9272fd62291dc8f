-- Grain: one project at one cut that something is known of. Declared: the overall word of the committee, else the worst
-- of its axes. Computed: the worst colour of the figures that count, of the last period only. Trend: against the
-- committee before. Confidence: of what the figures stand on at that cut: how fresh its sources are, how much of the
-- work has a baseline, and the quality score; low from a late source, half the work without a baseline or a red score
-- on.
WITH rank AS (SELECT * FROM (VALUES ('red', 1), ('amber', 2), ('green', 3)) r(rag, place)
), axis AS (
    SELECT a.cut_key, a.project_key, a.rag, r.place, lower(a.axis) = 'overall' AS overall, a.axis, a.commentary
    FROM fact_assessment a LEFT JOIN rank r USING (rag)
), said AS (
    SELECT cut_key, project_key, coalesce(any_value(rag) FILTER (overall), arg_min(rag, place)) AS declared,
        string_agg(commentary, chr(10) ORDER BY overall DESC, axis) FILTER (commentary <> '') AS commentary
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
), both_words AS (
    SELECT coalesce(s.cut_key, t.cut_key) AS cut_key, coalesce(s.project_key, t.project_key) AS project_key, declared,
        computed, commentary
    FROM said s FULL JOIN told t ON s.cut_key = t.cut_key AND s.project_key = t.project_key
), word AS (
    SELECT b.*, n.place AS computed_place, d.place AS declared_place, c.ordinal, c.previous_ordinal
    FROM both_words b JOIN dim_cut c USING (cut_key) LEFT JOIN rank n ON n.rag = b.computed
        LEFT JOIN rank d ON d.rag = b.declared
), serving AS (SELECT DISTINCT cut_key, project_key, source_key FROM fact_quality WHERE source_key <> -1
), late AS (
    SELECT v.cut_key, v.project_key, string_agg(f.scope_label, ', ' ORDER BY f.scope_label) AS sources
    FROM serving v JOIN fact_kpi f ON f.cut_key = v.cut_key AND f.kpi = 'FRESHNESS' AND f.measure = 'fresh'
        AND f.scope_key = v.source_key
    WHERE f.value = 0 GROUP BY ALL
), stands AS (
    SELECT cut_key, project_key, max(value) FILTER (kpi = 'DQ_SCORE') AS quality,
        any_value(rag) FILTER (kpi = 'DQ_SCORE') AS quality_rag,
        max(coverage) FILTER (kpi = 'EVM_DAYS' AND value IS NOT NULL) AS covered
    FROM fact_kpi WHERE scope_kind = 'project' AND ((kpi = 'DQ_SCORE' AND measure = 'score')
        OR (kpi = 'EVM_DAYS' AND measure = 'bac')) GROUP BY ALL
), trust AS (
    SELECT w.cut_key, w.project_key, l.sources, t.quality, t.covered,
        -- without a target of its own the score is held to 90 and 80
        coalesce(nullif(t.quality_rag, 'grey'), CASE WHEN t.quality < 80 THEN 'red' WHEN t.quality < 90 THEN 'amber'
            WHEN t.quality IS NOT NULL THEN 'green' END) AS quality_rag
    FROM word w LEFT JOIN late l ON l.cut_key = w.cut_key AND l.project_key = w.project_key
        LEFT JOIN stands t ON t.cut_key = w.cut_key AND t.project_key = w.project_key
)
SELECT w.cut_key, w.project_key, w.declared, w.computed, y.fr AS reason_fr, y.en AS reason_en,
    coalesce(w.declared = 'green' AND w.computed = 'red', false)::INTEGER AS is_contradicted,
    CASE WHEN w.computed_place IS NOT NULL AND b.computed_place IS NOT NULL THEN
            CASE sign(w.computed_place - b.computed_place) WHEN 1 THEN 'better' WHEN -1 THEN 'worse' ELSE 'same' END
        WHEN w.computed_place IS NULL AND w.declared_place IS NOT NULL AND b.declared_place IS NOT NULL THEN
            CASE sign(w.declared_place - b.declared_place) WHEN 1 THEN 'better' WHEN -1 THEN 'worse' ELSE 'same' END
    END AS trend,
    w.commentary,
    CASE WHEN t.sources IS NOT NULL OR t.covered < 0.5 OR t.quality_rag = 'red' THEN 'low'
        WHEN t.covered < 0.8 OR t.quality_rag = 'amber' THEN 'medium'
        WHEN t.quality IS NOT NULL OR t.covered IS NOT NULL THEN 'high' END AS confidence,
    nullif(concat_ws(' ; ', 'en retard : ' || t.sources,
        'travail avec référence ' || written(t.covered, 'share', 'fr'),
        'qualité ' || written(t.quality, 'score', 'fr') || ' / 100'), '') AS confidence_fr,
    nullif(concat_ws('; ', 'late: ' || t.sources, 'work with a baseline ' || written(t.covered, 'share', 'en'),
        'quality ' || written(t.quality, 'score', 'en') || ' / 100'), '') AS confidence_en
FROM word w LEFT JOIN why y ON y.cut_key = w.cut_key AND y.project_key = w.project_key
    LEFT JOIN word b ON b.project_key = w.project_key AND b.ordinal = w.previous_ordinal
    LEFT JOIN trust t ON t.cut_key = w.cut_key AND t.project_key = w.project_key
