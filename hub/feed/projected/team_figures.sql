-- Grain: one KPI of a team (or of everybody) in a period that is over (a load: in any): by how many people, and
-- whether the sums
-- that go out hold
-- all that a load or an activity is the sum of.
WITH figure AS (
    SELECT kpi, period, scope_kind, scope_label, CASE WHEN scope_kind = 'team' THEN scope_label END AS team,
        max(value) FILTER (measure = 'people') AS people, any_value(period) LIKE '____-__' AS monthly,
        CASE kpi WHEN 'TACE' THEN 'worklog' WHEN 'LOAD_TEAM' THEN 'plan' END AS kind
    FROM feed.fact_kpi WHERE cut_key = 0 AND list_contains(getvariable('shown_team_kpis'), kpi) AND period <> ''
        GROUP BY ALL
), span AS (
    SELECT *, CASE WHEN monthly THEN period || '-01' ELSE period END::DATE AS first_day,
        CASE WHEN monthly THEN last_day((period || '-01')::DATE) ELSE period::DATE + 6 END AS last_day
    FROM figure
), counted AS (
    SELECT s.*,
        (SELECT count(DISTINCT a.person_key) FROM atom a WHERE a.kind = 'worklog' AND a.team IS NOT DISTINCT
            FROM s.team
            AND a.day BETWEEN s.first_day AND s.last_day) AS workers,
        coalesce((SELECT sum(a.m1) FROM atom a WHERE a.kind = s.kind AND a.team IS NOT DISTINCT FROM s.team
            AND a.day BETWEEN s.first_day AND s.last_day), 0) AS had,
        coalesce((SELECT sum(c.m1) FROM published c WHERE c.kind = s.kind AND c.level < 2
            AND c.team IS NOT DISTINCT FROM s.team
            AND CASE WHEN s.monthly THEN c.month = s.period ELSE c.level = 0 AND c.week BETWEEN s.first_day
                AND s.last_day END), 0)
            AS shown
    FROM span s
)
SELECT kpi, period, scope_kind, scope_label, coalesce(people, workers)::BIGINT AS people,
    kind IS NULL OR had = shown AS whole,
    EXISTS (SELECT 1 FROM was.figure w WHERE w.kpi = c.kpi AND w.period = c.period) AS known,
    strftime(last_day, '%Y-%m') < getvariable('open_month') AS is_over
FROM counted c WHERE is_over OR kpi = 'LOAD_TEAM' ORDER BY ALL
