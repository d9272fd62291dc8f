-- Grain: one point of the S-curve of a project in person-days. Planned: by month through the baseline of the cut, by
-- the rule of EVM_DAYS; earned: as photographed at each cut; actual: what was spent by the end of each month.
WITH task AS (
    SELECT f.project_key, f.baseline_days, f.baseline_start, f.baseline_finish, b.workday_seq AS start_seq,
        b.is_workday,
        e.workday_seq AS finish_seq
    FROM kpi_task f JOIN dim_date b ON b.date = f.baseline_start JOIN dim_date e ON e.date = f.baseline_finish
    WHERE f.in_baseline AND f.baseline_days IS NOT NULL AND f.project_key <> -1
), span AS (
    SELECT project_key, min(baseline_start) AS first_day, max(baseline_finish) AS last_day FROM task GROUP BY 1
), moment AS (
    SELECT s.project_key, d.date, d.workday_seq FROM span s JOIN dim_date d
        ON d.date BETWEEN s.first_day AND greatest(s.last_day, getvariable('as_of')::DATE)
        AND (d.date = last_day(d.date) OR d.date IN (s.last_day, getvariable('as_of')::DATE))
), spent_in AS (
    SELECT project_key, period_start, sum(value::DECIMAL(38, 12)) AS value FROM fact_kpi JOIN span USING (project_key)
    WHERE cut_key = getvariable('cut') AND kpi = 'MONTHLY_SPENT' AND measure LIKE 'days.%' AND scope_kind = 'project'
        AND period_start <= getvariable('as_of')::DATE
    GROUP BY ALL
), spent AS (
    SELECT project_key, least(last_day(period_start), getvariable('as_of')::DATE) AS date,
        (sum(value) OVER (PARTITION BY project_key ORDER BY period_start))::DOUBLE AS value FROM spent_in
)
SELECT project_key, 'planned' AS series, m.date, sum((t.baseline_days * planned_by(m.date, t.baseline_start,
    t.baseline_finish, m.workday_seq, t.start_seq, t.is_workday, t.finish_seq))::DECIMAL(38, 12))::DOUBLE AS value
FROM moment m JOIN task t USING (project_key) GROUP BY ALL
UNION ALL SELECT project_key, 'actual', date, value FROM spent WHERE getvariable('cut') = 0
UNION ALL SELECT s.project_key, 'earned', d.date, s.ev_days FROM fact_project_snapshot s
    JOIN dim_date d USING (date_key) JOIN span USING (project_key)
    WHERE s.ev_days IS NOT NULL AND d.date <= getvariable('as_of')::DATE
UNION ALL SELECT s.project_key, 'actual', d.date, s.ac_days FROM fact_project_snapshot s
    JOIN dim_date d USING (date_key) JOIN span USING (project_key)
    WHERE s.ac_days IS NOT NULL AND d.date <= getvariable('as_of')::DATE AND getvariable('cut') <> 0
ORDER BY project_key, series, date
