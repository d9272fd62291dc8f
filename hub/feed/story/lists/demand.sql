-- Grain: one month of the twelve that end at the cut and nature of a task: how many were raised and how many done.
WITH task AS (
    SELECT coalesce(nature, 'unknown') AS nature, created_at, resolved_at FROM dim_task
    WHERE coalesce(is_deleted, 0) = 0 AND nature IN ('incident', 'request', 'anomaly', 'evolution') AND task_key <> -1
), said AS (
    SELECT nature, date_trunc('month', created_at)::DATE AS month, 1 AS raised, 0 AS done FROM task
    UNION ALL SELECT nature, date_trunc('month', resolved_at)::DATE, 0, 1 FROM task
    WHERE resolved_at <= getvariable('as_of_at')
)
SELECT month, nature, sum(raised)::BIGINT AS raised, sum(done)::BIGINT AS done FROM said
WHERE month > date_trunc('month', getvariable('as_of')::DATE) - INTERVAL 12 MONTH
    AND month <= getvariable('as_of')::DATE
GROUP BY ALL ORDER BY ALL
