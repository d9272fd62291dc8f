-- Grain: one project whose baseline has dates, and one month, as known at one cut; all cumulated since the beginning
-- to the day of date_key: the month's last, in the month of the cut the cut's own. Planned by the rule of EVM_DAYS and
-- EVM_AMOUNT; actual up to the cut; earned as the last cut of the month photographed it. Every project has every month
-- up to the end of all, so that a month adds up over projects.
WITH task AS (
    SELECT f.project_key, f.baseline_days AS days, f.baseline_amount AS amount, f.baseline_start AS start_on,
        f.baseline_finish AS finish_on, b.workday_seq AS start_seq, b.is_workday, e.workday_seq AS finish_seq
    FROM kpi_task f LEFT JOIN dim_date b ON b.date = f.baseline_start LEFT JOIN dim_date e ON e.date = f.baseline_finish
    WHERE f.in_baseline AND f.project_key <> -1 AND f.baseline_finish IS NOT NULL
), span AS (
    SELECT project_key, min(coalesce(start_on, finish_on)) AS first_on, max(finish_on) AS last_on,
        count(days) > 0 AS has_days, count(amount) > 0 AS has_amount
    FROM task GROUP BY 1 HAVING has_days OR has_amount
), told AS (
    SELECT year_month, date, date_key, workday_seq FROM dim_date
    WHERE date = getvariable('as_of')::DATE OR (date = last_day(date)
        AND date_trunc('month', date) <> date_trunc('month', getvariable('as_of')::DATE))
), moment AS (
    SELECT * FROM told WHERE date <= (SELECT min(date) FROM told WHERE date >= greatest(getvariable('as_of')::DATE,
        (SELECT least(max(last_on), (SELECT max(date) FROM told)) FROM span)))
), worked AS (
    SELECT project_key, strftime(work_date, '%Y-%m') AS year_month, sum(days::DECIMAL(38, 12)) AS days,
        sum(amount) AS amount
    FROM kpi_work JOIN span USING (project_key) GROUP BY ALL
), axis AS (
    SELECT s.*, m.* FROM span s LEFT JOIN (SELECT project_key, min(year_month) AS first_month FROM worked GROUP BY 1) w
            USING (project_key)
        JOIN moment m ON m.year_month >= least(strftime(s.first_on, '%Y-%m'), w.first_month)
), running AS (
    SELECT t.project_key, m.year_month, sum((t.days * share)::DECIMAL(38, 12)) AS days,
        sum((t.amount * share)::DECIMAL(38, 12)) AS amount
    FROM task t JOIN moment m ON m.date >= t.start_on AND m.date < t.finish_on,
        LATERAL (SELECT planned_by(m.date, t.start_on, t.finish_on, m.workday_seq, t.start_seq, t.is_workday,
            t.finish_seq) AS share)
    GROUP BY ALL
), ended AS (
    SELECT t.project_key, m.year_month, sum(t.days::DECIMAL(38, 12)) AS days, sum(t.amount::DECIMAL(38, 12)) AS amount
    FROM task t ASOF JOIN moment m ON t.finish_on <= m.date GROUP BY ALL
), here AS (
    SELECT getvariable('cut_key') AS cut_key, a.project_key, a.year_month, a.date_key,
        CASE WHEN has_days THEN coalesce(r.days, 0) + coalesce(sum(e.days) OVER so_far, 0) END::DOUBLE AS pv_days,
        CASE WHEN has_amount THEN coalesce(r.amount, 0) + coalesce(sum(e.amount) OVER so_far, 0) END::DOUBLE
            AS pv_amount,
        CASE WHEN has_days AND a.date <= getvariable('as_of')::DATE THEN coalesce(sum(w.days) OVER so_far, 0)
            END::DOUBLE AS ac_days,
        CASE WHEN has_amount AND a.date <= getvariable('as_of')::DATE THEN coalesce(sum(w.amount) OVER so_far, 0)
            END::DOUBLE AS ac_amount
    FROM axis a LEFT JOIN running r USING (project_key, year_month) LEFT JOIN ended e USING (project_key, year_month)
        LEFT JOIN worked w USING (project_key, year_month)
    WINDOW so_far AS (PARTITION BY a.project_key ORDER BY a.year_month)
), older AS (
    -- a cut that was closed without this table has the months of which cuts photographed the figures
    SELECT o.cut_key, s.project_key, d.year_month, d.date_key, s.pv_days, s.pv_amount,
        CASE WHEN s.pv_days IS NOT NULL THEN s.ac_days END AS ac_days,
        CASE WHEN s.pv_amount IS NOT NULL THEN s.ac_amount END AS ac_amount
    FROM other_cut o JOIN dim_date d ON d.date <= o.as_of::DATE JOIN fact_project_snapshot s USING (date_key)
    WHERE o.cut_key NOT IN (SELECT cut_key FROM cut_evm_month) AND (s.pv_days IS NOT NULL OR s.pv_amount IS NOT NULL)
    QUALIFY row_number() OVER (PARTITION BY o.cut_key, s.project_key, d.year_month ORDER BY d.date DESC) = 1
), known AS (
    SELECT * FROM here UNION ALL BY NAME
    SELECT cut_key, project_key, year_month, date_key, pv_days, pv_amount, ac_days, ac_amount FROM cut_evm_month
    UNION ALL BY NAME SELECT * FROM older
), photo AS (
    SELECT s.project_key, d.year_month, d.date AS earned_date, s.ev_days, s.ev_amount
    FROM fact_project_snapshot s JOIN dim_date d USING (date_key)
    WHERE s.ev_days IS NOT NULL OR s.ev_amount IS NOT NULL
), earned AS (
    SELECT c.cut_key, p.* FROM dim_cut c JOIN photo p ON p.earned_date <= c.as_of
    QUALIFY row_number() OVER (PARTITION BY c.cut_key, project_key, year_month ORDER BY earned_date DESC) = 1
)
SELECT k.*, e.earned_date, e.ev_days, e.ev_amount
FROM known k LEFT JOIN earned e USING (cut_key, project_key, year_month)
