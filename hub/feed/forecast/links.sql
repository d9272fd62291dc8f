-- Grain: one dependency between two leaf tasks; one of a summary holds for every leaf below it.
WITH RECURSIVE below AS (
    SELECT task_key AS top, task_key, 0 AS step FROM dim_task
    WHERE task_key IN (SELECT from_task_key FROM fact_task_link UNION SELECT to_task_key FROM fact_task_link)
    UNION ALL SELECT b.top, k.task_key, b.step + 1 FROM below b JOIN dim_task k ON k.parent_task_key = b.task_key
        WHERE b.step < 50 AND k.task_key <> -1
), leaf AS (SELECT DISTINCT b.top, b.task_key FROM below b JOIN dim_task k USING (task_key) WHERE k.is_leaf = 1)
SELECT f.task_key AS before, t.task_key AS after, list_position(['FS', 'SS', 'FF', 'SF'], upper(l.type)) - 1 AS kind,
    coalesce(max(l.lag_s / s.seconds_per_day), 0)::DOUBLE AS lag
FROM fact_task_link l JOIN leaf f ON f.top = l.from_task_key JOIN leaf t ON t.top = l.to_task_key
    JOIN dim_task k ON k.task_key = t.task_key JOIN dim_source s USING (source_key)
WHERE upper(l.type) IN ('FS', 'SS', 'FF', 'SF') AND f.task_key <> t.task_key GROUP BY ALL ORDER BY ALL
