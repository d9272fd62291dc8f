-- Grain: one task, deleted ones too (is_deleted = 1): facts leave them out, history keeps their name.
WITH RECURSIVE up AS (
    SELECT id AS of_id, id, parent_id, title, 0 AS step FROM task WHERE parent_id IS NOT NULL
    UNION ALL SELECT up.of_id, t.id, t.parent_id, t.title, step + 1 FROM up JOIN task t ON t.id = up.parent_id
        WHERE step < 50
), top AS (SELECT of_id, arg_max(title, step) AS phase FROM up WHERE step > 0 GROUP BY of_id),
parents AS (SELECT DISTINCT parent_id AS id FROM task WHERE counted AND parent_id IS NOT NULL),
born AS (
    SELECT c.task_id, arg_min(k.nature, c.at) AS nature FROM task_change c JOIN task t ON t.id = c.task_id
        JOIN type_known k ON k.source_id = t.source_id AND k.raw = lower(c.from_value)
    WHERE c.field IN ('issuetype', 'type') AND c.counted GROUP BY 1
), decided AS (SELECT exec_task_id, min(plan_task_id) AS plan_task_id FROM task_match WHERE state = 'accepted'
    AND counted GROUP BY 1
), carried AS (
    -- an issue without a match of its own carries out what the nearest issue above it does
    SELECT exec_task_id, arg_min(plan_task_id, step) AS plan_task_id FROM (
        SELECT exec_task_id, plan_task_id, -1 AS step FROM decided
        UNION ALL SELECT up.of_id, d.plan_task_id, up.step FROM up JOIN decided d ON d.exec_task_id = up.id) GROUP BY 1
), several AS (
    SELECT row_id, string_agg(text, ', ' ORDER BY text) FILTER (field = 'components') AS components,
        string_agg(text, ', ' ORDER BY text) FILTER (field = 'fixVersions') AS versions
    FROM custom_value WHERE counted AND field IN ('components', 'fixVersions') GROUP BY 1
), on_it AS (
    SELECT task_id, string_agg(DISTINCT name, ', ' ORDER BY name) AS names FROM (
        SELECT s.task_id, coalesce(a.display_name, a.login, a.email) AS name FROM assignment s
            JOIN account a ON a.id = s.account_id WHERE s.counted
        UNION SELECT t.id, coalesce(a.display_name, a.login, a.email) FROM task t JOIN account a ON a.id = t.assignee_id
    ) GROUP BY 1
), passed AS (
    SELECT i.task_key, min(i.entered_at) FILTER (i.status_key = 2) AS started_at,
        max(i.entered_at) FILTER (i.left_at IS NULL AND i.status_key = 3) AS done_at
    FROM fact_status_interval i GROUP BY 1
), known AS (
SELECT t.key AS task_key, t.id AS task_id, t.code AS key, t.title, t.kind, t.nature,
    coalesce(b.nature, t.nature) AS nature_first, t.type_raw,
    coalesce(m.key, -1) AS parent_task_key, coalesce(plan.key, -1) AS plan_task_key, top.phase, t.wbs,
    s.key AS source_key,
    coalesce(p.project_key, -1) AS project_key, t.url, t.created_at::TIMESTAMPTZ AS created_at,
    t.priority_raw AS priority, t.resolution_raw AS resolution,
    replace(replace(t.labels, ' ', ', '), chr(160), ' ') AS labels, v.components, v.versions,
    coalesce(r.display_name, r.login, r.email) AS reporter, on_it.names AS assignees, t.due_on::DATE AS due_date,
    t.deadline_on::DATE AS deadline, t.constraint_type, t.constraint_on::DATE AS constraint_date, t.is_critical,
    t.is_blocked, t.total_slack_s / coalesce(p.seconds_per_day, s.seconds_per_day) AS total_slack_days,
    t.free_slack_s / coalesce(p.seconds_per_day, s.seconds_per_day) AS free_slack_days,
    t.duration_s / coalesce(p.seconds_per_day, s.seconds_per_day) AS duration_days,
    coalesce(i.started_at, t.actual_start_on::TIMESTAMPTZ) AS started_at,
    coalesce(t.resolved_at::TIMESTAMPTZ, i.done_at, CASE WHEN k.status_key = 3 THEN t.actual_finish_on::TIMESTAMPTZ END)
        AS resolved_at,
    CASE WHEN k.status_key NOT IN (3, 4) AND t.counted
        THEN getvariable('as_of_day')::DATE - t.created_at::TIMESTAMPTZ::DATE END AS age_days, t.notes,
    (parents.id IS NULL AND t.kind <> 'summary')::INTEGER AS is_leaf, (NOT t.counted)::INTEGER AS is_deleted
FROM task t JOIN source s ON s.id = t.source_id LEFT JOIN task_place p ON p.task_id = t.id
    LEFT JOIN task m ON m.id = t.parent_id LEFT JOIN top ON top.of_id = t.id LEFT JOIN parents ON parents.id = t.id
    LEFT JOIN task_status k ON k.task_id = t.id LEFT JOIN several v ON v.row_id = t.id
    LEFT JOIN account r ON r.id = t.reporter_id LEFT JOIN on_it ON on_it.task_id = t.id
    LEFT JOIN passed i ON i.task_key = t.key
    LEFT JOIN born b ON b.task_id = t.id LEFT JOIN carried c ON c.exec_task_id = t.id
    LEFT JOIN task plan ON plan.id = c.plan_task_id
UNION ALL BY NAME SELECT -1 AS task_key, getvariable('no_task') AS title, 'work' AS kind, 'unknown' AS nature,
    'unknown' AS nature_first, -1 AS parent_task_key, -1 AS plan_task_key, min(key) AS source_key, -1 AS project_key,
    1 AS is_leaf, 0 AS is_deleted FROM source HAVING count(*) > 0
)
SELECT * FROM known
UNION ALL BY NAME
SELECT * REPLACE (coalesce((SELECT key FROM source WHERE key = c.source_key),
    (SELECT min(key) FROM source)) AS source_key) FROM cut_task c
WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.key = c.task_key)
