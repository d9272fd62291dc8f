SELECT own('status/' || w.task_id || '/' || i.seq) AS id, own(w.task_id) AS task_id, 'status' AS field,
    lag(i.status_raw) OVER (PARTITION BY i.task_key ORDER BY i.seq) AS from_value, i.status_raw AS to_value,
    stamp(i.entered_at) AS at
FROM fact_status_interval i JOIN work w USING (task_key)
WHERE getvariable('cut') = 0 OR i.entered_at < getvariable('cut_day')::DATE + 1
QUALIFY i.seq > 1
