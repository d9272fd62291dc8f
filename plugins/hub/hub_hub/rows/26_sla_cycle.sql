SELECT own(s.sla_id) AS id, own(w.task_id) AS task_id, s.sla_name AS name, s.metric,
    row_number() OVER (PARTITION BY s.task_key, s.sla_name ORDER BY s.start_at, s.sla_id) AS cycle_no,
    stamp(s.start_at) AS start_at, stamp(s.stop_at) AS stop_at, s.goal_s, s.elapsed_s, s.is_breached = 1 AS breached
FROM fact_sla s JOIN work w USING (task_key)
