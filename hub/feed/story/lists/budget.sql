-- Grain: one category of a project's budget at the cut, over all months.
SELECT category, is_capex, sum(baseline_amount)::DOUBLE AS baseline, sum(revised_amount)::DOUBLE AS revised,
    sum(committed_amount)::DOUBLE AS committed, sum(consumed_amount)::DOUBLE AS consumed,
    sum(forecast_amount)::DOUBLE AS forecast
FROM fact_budget WHERE project_key = getvariable('project') AND cut_key = getvariable('cut')
GROUP BY ALL ORDER BY revised DESC NULLS LAST, category, is_capex
