-- Grain: one link between two counted tasks; of several alike the longest lag stays.
SELECT f.key AS from_task_key, t.key AS to_task_key, l.type, max(l.lag_s) AS lag_s
FROM task_link l JOIN task f ON f.id = l.from_id AND f.counted JOIN task t ON t.id = l.to_id AND t.counted
WHERE l.counted
GROUP BY ALL
