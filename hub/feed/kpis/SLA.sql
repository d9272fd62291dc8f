-- Respect des SLA | SLA compliance
-- scope: project
-- period: month
-- split: metric
-- measures: met count, measured count, compliance share = met / measured
-- captions: met SLA respectés | SLAs met; measured SLA mesurés | SLAs measured; compliance Respect des SLA | SLA
--   compliance
-- headline: compliance
-- receipt: sla
-- definition: met / (finished in the month + still running and already breached).
-- edge cases: running and not breached is left out; no cycle gives no row, not 100 %; elapsed time is the tool's, which
--   knows its calendar and pauses.
WITH c AS (
    SELECT *, CASE WHEN stop_at <= getvariable('as_of_at') THEN stop_at END AS stopped FROM fact_sla
    WHERE start_at <= getvariable('as_of_at')
)
SELECT project_key, strftime(coalesce(stopped, getvariable('as_of_at')), '%Y-%m') AS month, metric,
    count(*) FILTER (stopped IS NOT NULL AND is_breached = 0) AS met, count(*) AS measured,
    count(*) FILTER (stopped IS NOT NULL AND is_breached = 0)::DOUBLE / count(*) AS compliance
FROM c WHERE stopped IS NOT NULL OR is_breached = 1 GROUP BY ALL ORDER BY ALL
