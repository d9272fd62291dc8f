-- KPIs that are no team's, as they are; effort by nature where the project-month is cut by nature, every other as
-- one ('all').
CREATE TABLE fact_kpi AS
    SELECT * FROM feed.fact_kpi WHERE scope_kind <> 'team' AND kpi <> 'MONTHLY_SPENT'
        AND measure <> 'anomaly_effort_share'
        AND NOT list_contains(getvariable('team_kpis'), kpi);
INSERT INTO fact_kpi BY NAME
WITH whole AS (
    SELECT cut_key, scope_kind, scope_key, scope_label, project_key, kpi, split_part(measure, '.', 1) AS what,
        period, unit,
        sum(value) AS value, any_value(coverage) AS coverage, any_value(method) AS method,
        any_value(method_version) AS method_version, any_value(is_in_weather) AS is_in_weather
    FROM feed.fact_kpi WHERE kpi = 'MONTHLY_SPENT' GROUP BY ALL
), shown AS (
    SELECT 0 AS cut_key, 'project' AS scope_kind, project_key, month AS period, nature, sum(m2) AS days,
        sum(m3)::DOUBLE AS amount, sum(m1) / 3600.0 AS hours
    FROM published WHERE kind = 'worklog' AND level = 2 AND category = 'project' AND NOT rejected GROUP BY ALL
), apart AS (
    SELECT w.* REPLACE (CASE w.what WHEN 'days' THEN s.days WHEN 'hours' THEN s.hours ELSE s.amount END AS value),
        s.nature
    FROM whole w JOIN shown s USING (cut_key, scope_kind, project_key, period)
), told AS (SELECT cut_key, scope_kind, scope_key, what, period, sum(value) AS value FROM apart GROUP BY ALL)
SELECT * EXCLUDE (what, nature), what || '.' || nature AS measure FROM apart
UNION ALL BY NAME
SELECT w.* EXCLUDE (what) REPLACE (w.value - coalesce(t.value, 0) AS value), w.what || '.all' AS measure
FROM whole w LEFT JOIN told t USING (cut_key, scope_kind, scope_key, what, period)
WHERE t.what IS NULL OR w.value IS NULL OR abs(w.value - t.value) > 1e-6
