-- Grain: one resource on one task now. Of a task whose tool keeps no assignments: its assignee, with the task's own
-- effort. Effort counts where the container is the project's authority for it.
WITH found AS (
    SELECT id, task_id, account_id, units, start_on, finish_on, planned_s, actual_s, remaining_s, cost_minor,
        actual_cost_minor, remaining_cost_minor, currency FROM assignment WHERE counted
    UNION ALL
    SELECT t.id, t.id, t.assignee_id, NULL, t.planned_start_on, coalesce(t.planned_finish_on, t.due_on), t.estimate_s,
        t.spent_s, t.remaining_s, NULL, NULL, NULL, NULL
    FROM task t WHERE t.assignee_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM assignment a WHERE a.task_id = t.id AND a.counted)
)
SELECT f.id AS assignment_id, t.key AS task_key, coalesce(p.project_key, -1) AS project_key,
    coalesce(o.person_key, -1) AS person_key, s.key AS source_key, f.units, f.start_on::DATE AS start_date,
    f.finish_on::DATE AS finish_date,
    CASE WHEN coalesce(p.effort, true) THEN f.planned_s / coalesce(p.seconds_per_day, s.seconds_per_day) END
        AS planned_days,
    CASE WHEN coalesce(p.effort, true) THEN f.actual_s / coalesce(p.seconds_per_day, s.seconds_per_day) END
        AS actual_days,
    CASE WHEN coalesce(p.effort, true) THEN f.remaining_s / coalesce(p.seconds_per_day, s.seconds_per_day) END
        AS remaining_days,
    CASE WHEN coalesce(p.effort, true) THEN turned(f.cost_minor, f.currency, x.factor) / 100.0 END
        AS cost_amount,
    CASE WHEN coalesce(p.effort, true) THEN turned(f.actual_cost_minor, f.currency, x.factor) / 100.0 END
        AS actual_cost_amount,
    CASE WHEN coalesce(p.effort, true) THEN turned(f.remaining_cost_minor, f.currency, x.factor) / 100.0 END
        AS remaining_cost_amount
FROM found f JOIN task t ON t.id = f.task_id AND t.counted JOIN source s ON s.id = t.source_id
    LEFT JOIN task_place p ON p.task_id = t.id LEFT JOIN person_of o ON o.account_id = f.account_id
    LEFT JOIN exchange x ON x.currency = f.currency AND x.month = left(getvariable('as_of_day'), 7)
