-- Consommé mensuel par nature | Monthly spent by nature
-- scope: project
-- period: month
-- split: nature
-- measures: days days, amount amount, hours hours
-- captions: days Consommé du mois (JH) | Spent in the month (days); amount Consommé du mois (montant) | Spent in the
--   month (amount); hours Consommé du mois (heures) | Spent in the month (hours)
-- receipt: worklogs
-- version: 2
-- definition: Σ person-days, money and hours by month of the work and nature of the task.
-- edge cases: hours of several days count on the working days among them; the month is that of the work day, not of the
--   entry; hours without a task stand under "unassigned".
SELECT w.project_key, strftime(w.work_date, '%Y-%m') AS month,
    CASE WHEN w.task_key = -1 OR k.task_key IS NULL THEN 'unassigned' ELSE coalesce(k.nature, 'unknown') END AS nature,
    sum(w.days::DECIMAL(38, 12))::DOUBLE AS days, sum(w.amount)::DOUBLE AS amount, sum(w.seconds) / 3600.0 AS hours
FROM kpi_work w LEFT JOIN dim_task k USING (task_key) GROUP BY ALL ORDER BY ALL
