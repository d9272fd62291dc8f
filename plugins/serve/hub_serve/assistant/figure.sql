-- Grain: one measure of a KPI and a period of it, now; the last period only.
SELECT measure, period, unit, value, numerator, denominator, target, rag, coverage, method
FROM fact_kpi
WHERE cut_key = 0 AND kpi = ? AND scope_kind = ? AND scope_key = ? AND is_last_period = 1
ORDER BY measure, period
