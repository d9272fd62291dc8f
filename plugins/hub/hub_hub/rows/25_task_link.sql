SELECT own('link/' || f.task_id || '/' || t.task_id || '/' || l.type) AS id, own(f.task_id) AS from_id,
    own(t.task_id) AS to_id, l.type, l.lag_s
FROM fact_task_link l JOIN work f ON f.task_key = l.from_task_key JOIN work t ON t.task_key = l.to_task_key
