-- Temps par statut | Time in status
-- scope: task
-- measures: days days
-- receipt: intervals
-- definition: Σ (left − entered) per category, open stays up to the moment asked for, in elapsed days.
SELECT project_key, task_key, category, round(sum(epoch(coalesce(left_at, getvariable('as_of_at')))
    - epoch(entered_at)) / 86400.0, 6) AS days
FROM kpi_interval GROUP BY ALL ORDER BY task_key, category
