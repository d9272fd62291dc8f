-- Grain: one cycle of a service-level clock: the tool's own, else computed from sla_goals.csv (elapsed time, around the
-- clock).
WITH goal AS (
    SELECT t.id AS task_id, t.key AS task_key, coalesce(p.project_key, -1) AS project_key, g.metric, g.goal_s,
        t.created_at::TIMESTAMPTZ AS start_at,
        row_number() OVER (PARTITION BY t.id, g.metric
            ORDER BY (g.project_code = '*')::INTEGER + (g.nature = '*')::INTEGER + (g.priority = '*')::INTEGER,
                g.key) AS place
    FROM task t LEFT JOIN task_place p ON p.task_id = t.id LEFT JOIN project_code c ON c.project_key = p.project_key
        JOIN sla_goal g ON g.counted AND (g.project_code = '*' OR lower(g.project_code) = lower(c.code))
            AND (g.nature = '*' OR g.nature = t.nature)
            AND (g.priority = '*' OR lower(g.priority) = lower(t.priority_raw))
    WHERE t.counted AND t.kind = 'work' AND t.created_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM sla_cycle y WHERE y.task_id = t.id AND y.counted)
), over AS (
    SELECT i.task_key, arg_max(i.status_key, i.seq) AS status_key, arg_max(i.entered_at, i.seq) AS at
    FROM fact_status_interval i GROUP BY 1
), clock AS (
    SELECT g.*, CASE WHEN o.status_key IN (3, 4) THEN o.at END AS stop_at, o.status_key FROM goal g
        LEFT JOIN over o USING (task_key) WHERE g.place = 1
), ticked AS (
    SELECT *, -- a clock that still runs is read at midnight, so that the same data gives the same feed all day
        date_diff('second', start_at, coalesce(stop_at,
            greatest(start_at, getvariable('as_of_day')::DATE::TIMESTAMPTZ))) AS elapsed_s FROM clock
                WHERE status_key IS DISTINCT FROM 4
)
SELECT c.id AS sla_id, t.key AS task_key, coalesce(p.project_key, -1) AS project_key, c.name AS sla_name, c.metric,
    c.start_at::TIMESTAMPTZ AS start_at,
    c.stop_at::TIMESTAMPTZ AS stop_at, c.goal_s, c.elapsed_s, c.breached AS is_breached
FROM sla_cycle c JOIN task t ON t.id = c.task_id AND t.counted LEFT JOIN task_place p ON p.task_id = t.id
WHERE c.counted
UNION ALL
SELECT task_id || '/goal/' || metric, task_key, project_key, metric, metric, start_at, stop_at, goal_s, elapsed_s,
    (elapsed_s > goal_s)::INTEGER FROM ticked
