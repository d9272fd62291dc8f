-- Atterrissage budgétaire | Budget landing
-- scope: project
-- measures: budget amount, committed amount, consumed amount, landing amount, variance amount, left_to_spend amount
-- headline: variance
-- receipt: budget, tasks, worklogs
-- definition: landing = labour spent (worklogs) + labour left (remaining) + purchases consumed + purchases still to be invoiced.
-- edge cases: committed already contains consumed; budget lines of category labour are not added to the labour of worklogs a second time;
--   one open task without a remaining amount makes the landing NULL.
-- source: facts of the design (CRTE, atterrissage).
WITH b AS (
    SELECT project_key, sum(baseline_amount)::DOUBLE AS budget, sum(committed_amount)::DOUBLE AS committed,
        sum(consumed_amount) FILTER (category <> 'labour')::DOUBLE AS bought, sum(forecast_amount) FILTER (category <> 'labour')::DOUBLE AS to_come
    FROM fact_budget WHERE cut_key = getvariable('cut') GROUP BY 1
), a AS (SELECT project_key, sum(amount)::DOUBLE AS labour FROM kpi_work GROUP BY 1
), x AS (
    SELECT d.project_key, b.budget, b.committed, coalesce(a.labour, 0) + coalesce(b.bought, 0) AS consumed, coalesce(b.to_come, 0) AS to_come,
        CASE WHEN coalesce(l.amount_missing, 0) = 0 THEN coalesce(l.amount_known, 0) END AS raf
    FROM dim_project d LEFT JOIN b USING (project_key) LEFT JOIN a USING (project_key) LEFT JOIN kpi_left l USING (project_key)
)
SELECT project_key, budget, committed, consumed, consumed + raf + to_come AS landing, consumed + raf + to_come - budget AS variance, budget - consumed AS left_to_spend
FROM x
