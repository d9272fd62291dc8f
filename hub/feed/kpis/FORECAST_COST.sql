-- Prévision de coût | Forecast of the cost
-- scope: project
-- measures: p50 amount, p80 amount, p95 amount, mean amount, over_p80 amount, chance_budget share
-- alone: p50, p80, p95, over_p80
-- captions: p50 Coût final prévu, une chance sur deux (P50) | Forecast cost at completion, even chance (P50); p80 Coût
--   final prévu, huit chances sur dix (P80) | Forecast cost at completion, eight in ten (P80); p95 Coût final prévu,
--   dix-neuf chances sur vingt (P95) | Forecast cost at completion, nineteen in twenty (P95); mean Coût final prévu, en
--   moyenne | Forecast cost at completion, on average; over_p80 Dépassement prévu du budget (P80) | Forecast overrun of
--   the budget (P80); chance_budget Chance de tenir le budget | Chance to meet the budget
-- headline: over_p80
-- method: method
-- receipt: forecasts, history
-- definition: what a project costs in the end with a chance of 50, 80 and 95 %: labour and purchases spent, purchases
--   still to come, and the work left at the cost that this project's and the organisation's work showed so far, or
--   without a plan the labour of late until the forecast finish; widened by how far off earlier forecasts were.
-- edge cases: of now alone, closed cuts have none; purchases to come are taken as planned; a project whose work left is
--   neither planned in money nor ends at its pace has no row; P50, P80 and P95 of several projects are no sum, the mean
--   is; the budget is that of LANDING.
-- source: earned value management (EIA-748); DerSimonian and Laird 1986; Kaplan and Meier 1958; Lei 2018.
SELECT f.project_key, f.p50_amount::DOUBLE AS p50, f.p80_amount::DOUBLE AS p80, f.p95_amount::DOUBLE AS p95,
    f.mean_amount::DOUBLE AS mean, (f.p80_amount - f.target_amount)::DOUBLE AS over_p80,
    f.chance_target AS chance_budget,
    f.method || CASE WHEN f.is_record_thin = 1 THEN ', thin record' ELSE '' END AS method
FROM fact_forecast f JOIN dim_cut c USING (cut_key)
WHERE f.topic = 'cost' AND f.cut_key = getvariable('cut') AND c.is_latest = 1
