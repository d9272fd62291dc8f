-- Coûts des plans | Costs of the plans
-- scope: project
-- measures: baseline amount, planned amount, actual amount, remaining amount, variance amount
-- captions: baseline Coût de référence des plans | Baseline cost of the plans; planned Coût planifié des plans |
--   Planned cost of the plans; actual Coût réel des plans | Actual cost of the plans; remaining Coût restant des
--   plans | Remaining cost of the plans; variance Écart de coût des plans | Cost variance of the plans
-- headline: variance
-- receipt: costs
-- definition: what plans themselves say of their tasks, by their own rates; variance = planned − baseline.
-- edge cases: tasks whose tool says no cost are left out of all; a task without a baseline cost makes the variance
--   NULL only where no task has one.
SELECT project_key, sum(baseline_amount)::DOUBLE AS baseline, sum(cost_amount)::DOUBLE AS planned,
    sum(actual_cost_amount)::DOUBLE AS actual, sum(remaining_cost_amount)::DOUBLE AS remaining,
    (sum(cost_amount) - sum(baseline_amount))::DOUBLE AS variance
FROM kpi_task WHERE cost_amount IS NOT NULL AND category <> 'cancelled' GROUP BY 1 ORDER BY 1
