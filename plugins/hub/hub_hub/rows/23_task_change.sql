SELECT own('status/' || w.task_id || '/' || i.seq) AS id, own(w.task_id) AS task_id, 'status' AS field,
    lag(i.status_raw) OVER (PARTITION BY i.task_key ORDER BY i.seq) AS from_value, i.status_raw AS to_value,
    stamp(i.entered_at) AS at
FROM fact_status_interval i JOIN work w USING (task_key)
WHERE getvariable('cut') = 0 OR i.entered_at < getvariable('cut_day')::DATE + 1
QUALIFY i.seq > 1
UNION ALL
-- what a task was called first: by the type that tasks of that nature mostly have
SELECT own('type/' || w.task_id), own(w.task_id), 'type', k.type_raw, w.type_raw,
    stamp(coalesce(w.created_at, TIMESTAMPTZ '1990-01-01 00:00:00+00'))
FROM work w JOIN (SELECT type_raw, first(nature ORDER BY n DESC, nature) AS nature, sum(n) AS n FROM (
        SELECT lower(type_raw) AS type_raw, nature, count(*) AS n FROM work WHERE type_raw IS NOT NULL GROUP BY ALL)
    GROUP BY 1) k ON k.nature = w.nature_first
WHERE w.nature_first <> w.nature AND w.type_raw IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY w.task_id ORDER BY k.n DESC, k.type_raw) = 1
