-- Atterrissage budgétaire | Budget landing
-- scope: project
-- measures: budget amount, committed amount, consumed amount, landing amount, landing_at_least amount, variance
--   amount, left_to_spend amount
-- captions: budget Budget de l'atterrissage | Budget of the landing; committed Engagé à ce jour | Committed to date;
--   consumed Consommé (main-d'œuvre et achats) | Consumed (labour and purchases); landing Atterrissage | Landing;
--   landing_at_least Atterrissage, au moins | Landing, at least; variance Écart à l'atterrissage | Landing variance;
--   left_to_spend Reste à dépenser | Left to spend
-- headline: variance
-- coverage: known of landing_at_least
-- method: method
-- receipt: budget, tasks, worklogs
-- version: 2
-- definition: landing = labour spent (worklogs) + labour left (remaining) + purchases consumed + purchases still to be
--   invoiced; the budget is the revised one where the project has any, else the initial one, and the method says which.
-- edge cases: committed already contains consumed; budget lines of labour, whatever their category is called in French
--   or English, are not added to the labour of worklogs a second time; one open task without a remaining amount makes
--   the landing NULL, and so does a project without any task whose effort counts: landing_at_least is what is known of
--   it, its coverage the share of the open tasks that have a remaining amount.
-- source: budget control of projects (compte rendu technique et économique, atterrissage).
WITH b AS (
    SELECT project_key, coalesce(sum(revised_amount), sum(baseline_amount))::DOUBLE AS budget,
        CASE WHEN count(revised_amount) > 0 THEN 'revised budget' WHEN count(baseline_amount) > 0
            THEN 'initial budget' END AS method,
        sum(committed_amount)::DOUBLE AS committed,
        sum(consumed_amount) FILTER (NOT is_labour(category))::DOUBLE AS bought,
        sum(forecast_amount) FILTER (NOT is_labour(category))::DOUBLE AS to_come
    FROM fact_budget WHERE cut_key = getvariable('cut') GROUP BY 1
), a AS (SELECT project_key, sum(amount)::DOUBLE AS labour FROM kpi_work GROUP BY 1
), x AS (
    SELECT d.project_key, b.budget, b.method, b.committed, coalesce(a.labour, 0) + coalesce(b.bought, 0) AS consumed,
        coalesce(b.to_come, 0) AS to_come,
        CASE WHEN l.amount_missing = 0 THEN l.amount_known END AS raf, coalesce(l.amount_known, 0) AS raf_known,
        CASE WHEN l.project_key IS NULL THEN 0.0 WHEN l.n_open = 0 THEN 1.0
            ELSE 1 - l.amount_missing::DOUBLE / l.n_open END AS known
    FROM dim_project d LEFT JOIN b USING (project_key) LEFT JOIN a USING (project_key)
        LEFT JOIN kpi_left l USING (project_key)
)
SELECT project_key, budget, committed, consumed, consumed + raf + to_come AS landing,
    consumed + raf_known + to_come AS landing_at_least,
    consumed + raf + to_come - budget AS variance, budget - consumed AS left_to_spend, known, method
FROM x
