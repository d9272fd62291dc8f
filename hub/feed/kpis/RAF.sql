-- Consommé / reste à faire / à terminaison | Spent / to do / at completion
-- scope: project
-- measures: budget days, estimation days, consomme days, raf days, a_terminaison days, derive days, avancement share =
--   consomme / a_terminaison, reste_a_depenser days, n_open_without_raf count
-- captions: budget Budget (JH) | Budget (days); estimation Estimation (JH) | Estimate (days); consomme Consommé (JH) |
--   Spent (days); raf Reste à faire (JH) | To do (days); a_terminaison À terminaison (JH) | At completion (days);
--   derive Dérive (JH) | Drift (days); avancement Avancement | Progress; reste_a_depenser Reste à dépenser (JH) | Left
--   to spend (days); n_open_without_raf Tâches ouvertes sans reste à faire | Open tasks without work to do
-- headline: derive
-- receipt: tasks, worklogs
-- version: 2
-- definition: at completion = spent + to do; drift = at completion − budget; progress = spent / at completion; left to
--   spend = budget − spent.
-- edge cases: a done or cancelled task has nothing left whatever its field says; one open work item without a value
--   makes the work to do NULL, never understated; a milestone without a value is not missing; tasks of which none is
--   open give 0; a project without any task whose effort counts has no plan: the work to do and all that is made of it
--   are NULL, never 0 and 100 %; the work to do is never derived from estimate − spent. A baselined task that was
--   deleted stays in the budget, as a cancelled one does, until an approved rebaseline.
-- source: reussirsesprojets.com/reste-a-faire (CBTP, CRTE).
WITH b AS (SELECT project_key, sum(baseline_days::DECIMAL(38, 12))::DOUBLE AS budget FROM kpi_task WHERE in_baseline
    GROUP BY 1),
a AS (SELECT project_key, sum(days::DECIMAL(38, 12))::DOUBLE AS spent FROM kpi_work GROUP BY 1),
x AS (
    SELECT d.project_key, b.budget, coalesce(a.spent, 0) AS consomme, coalesce(l.days_missing, 0) AS n_open_without_raf,
        l.estimate_days AS estimation, CASE WHEN l.days_missing = 0 THEN l.days_known END AS raf
    FROM dim_project d LEFT JOIN b USING (project_key) LEFT JOIN a USING (project_key)
        LEFT JOIN kpi_left l USING (project_key)
)
SELECT project_key, budget, estimation, consomme, raf, consomme + raf AS a_terminaison,
    consomme + raf - budget AS derive,
    CASE WHEN abs(consomme + raf) > 1e-9 THEN consomme / (consomme + raf) END AS avancement,
    budget - consomme AS reste_a_depenser, n_open_without_raf
FROM x
