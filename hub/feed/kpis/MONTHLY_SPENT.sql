-- Consommé mensuel par nature | Monthly spent by nature
-- scope: project
-- period: month
-- split: nature
-- measures: days days, amount amount
-- receipt: worklogs
-- definition: Σ person-days and money by month of the work and nature of the task.
-- edge cases: the month is that of the work day, not of the entry; hours without a task stand under "unassigned".
SELECT w.project_key, strftime(w.work_date, '%Y-%m') AS month, CASE WHEN w.task_key = -1 OR k.task_key IS NULL THEN 'unassigned' ELSE coalesce(k.nature, 'unknown') END AS nature,
    sum(w.days::DECIMAL(38, 12))::DOUBLE AS days, sum(w.amount)::DOUBLE AS amount
FROM kpi_work w LEFT JOIN dim_task k USING (task_key) GROUP BY ALL ORDER BY ALL
