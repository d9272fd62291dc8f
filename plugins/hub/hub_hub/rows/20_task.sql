WITH raw AS (
    SELECT task_key, arg_max(status_raw, seq) AS status_raw FROM fact_status_interval WHERE left_at IS NULL GROUP BY 1
)
SELECT own(w.task_id) AS id, h.id AS container_id, own(m.task_id) AS parent_id, w.key AS code, w.wbs,
    coalesce(w.title, w.key, w.task_id) AS title, w.url, w.kind, w.kind = 'milestone' AS is_milestone, w.nature,
    w.type_raw, CASE WHEN w.is_deleted = 0 THEN coalesce(r.status_raw, CASE WHEN w.status_key = -1 THEN '?' END) END
        AS status_raw, w.resolution AS resolution_raw, w.priority AS priority_raw,
    CASE w.status_key WHEN 1 THEN 'todo' WHEN 2 THEN 'in_progress' WHEN 3 THEN 'done' WHEN 4 THEN 'cancelled' END
        AS status_native,
    w.is_blocked = 1 AS is_blocked, person(w.person_key) AS assignee_id,
    q.id AS reporter_id,
    CASE WHEN w.iteration_key <> -1 THEN own('iteration/' || w.iteration_key) END AS iteration_id,
    stamp(w.created_at) AS created_at, w.planned_start AS planned_start_on, w.planned_finish AS planned_finish_on,
    w.actual_start AS actual_start_on, w.actual_finish AS actual_finish_on, w.due_date AS due_on, w.percent,
    round(w.estimate_days * w.long)::BIGINT AS estimate_s, round(w.spent_days * w.long)::BIGINT AS spent_s,
    round(w.remaining_days * w.long)::BIGINT AS remaining_s, w.points,
    replace(replace(w.labels, ' ', chr(160)), ',' || chr(160), ' ') AS labels, stamp(w.resolved_at) AS resolved_at,
    w.deadline AS deadline_on, w.constraint_type, w.constraint_date AS constraint_on, w.is_critical = 1 AS is_critical,
    round(w.duration_days * w.long)::BIGINT AS duration_s, round(w.total_slack_days * w.long)::BIGINT AS total_slack_s,
    round(w.free_slack_days * w.long)::BIGINT AS free_slack_s, minor(w.cost_amount) AS cost_minor,
    minor(w.actual_cost_amount) AS actual_cost_minor, minor(w.remaining_cost_amount) AS remaining_cost_minor,
    CASE WHEN coalesce(w.cost_amount, w.actual_cost_amount, w.remaining_cost_amount) IS NOT NULL
        THEN getvariable('currency') END AS currency, w.notes
FROM work w JOIN home h ON h.project_key = w.at_project AND h.source_key = w.source_key AND h.long = w.long
    LEFT JOIN (SELECT person_label, min(id) AS id FROM who GROUP BY 1 HAVING count(*) = 1) q
        ON q.person_label = w.reporter
    LEFT JOIN work m ON m.task_key = w.parent_task_key LEFT JOIN raw r ON r.task_key = w.task_key
