-- Consommé / reste à faire / à terminaison | Spent / to do / at completion
-- scope: project
-- measures: budget days, consomme days, raf days, a_terminaison days, derive days, avancement ratio = consomme / a_terminaison, reste_a_depenser days, n_open_without_raf count
-- headline: derive
-- receipt: tasks, worklogs
-- definition: à terminaison = consommé + RAF; dérive = à terminaison − budget; avancement = consommé / à terminaison; reste à dépenser = budget − consommé.
-- edge cases: a done or cancelled task has nothing left whatever its field says; one open work item without a value makes RAF NULL, never understated;
--   a milestone without a value is not missing; no open task gives 0; RAF is never derived from estimate − spent.
-- source: reussirsesprojets.com/reste-a-faire (CBTP, CRTE).
WITH b AS (SELECT project_key, sum(baseline_days::DECIMAL(38, 12))::DOUBLE AS budget FROM kpi_task WHERE in_baseline GROUP BY 1),
a AS (SELECT project_key, sum(days::DECIMAL(38, 12))::DOUBLE AS spent FROM kpi_work GROUP BY 1),
x AS (
    SELECT d.project_key, b.budget, coalesce(a.spent, 0) AS consomme, coalesce(l.days_missing, 0) AS n_open_without_raf,
        CASE WHEN coalesce(l.days_missing, 0) = 0 THEN coalesce(l.days_known, 0) END AS raf
    FROM dim_project d LEFT JOIN b USING (project_key) LEFT JOIN a USING (project_key) LEFT JOIN kpi_left l USING (project_key)
)
SELECT project_key, budget, consomme, raf, consomme + raf AS a_terminaison, consomme + raf - budget AS derive,
    CASE WHEN abs(consomme + raf) > 1e-9 THEN consomme / (consomme + raf) END AS avancement, budget - consomme AS reste_a_depenser, n_open_without_raf
FROM x
