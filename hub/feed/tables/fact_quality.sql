-- Grain: one check, project and source at one cut: how many rows it looked at, and how many failed.
WITH RECURSIVE t AS (
    SELECT f.*, k.source_key, k.kind, k.is_leaf, k.parent_task_key, s.category, f.is_effort_counted = 1 AS counts,
        d.plugin,
        -- a team that estimates in points has no person-days to do
        bool_or(coalesce(f.estimate_days, f.remaining_days) IS NOT NULL) OVER (PARTITION BY f.project_key,
            k.source_key) AS in_days
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
        JOIN dim_source d USING (source_key)
    WHERE f.cut_key = getvariable('cut_key') AND k.is_deleted = 0
), above AS (
    SELECT task_key AS of_key, parent_task_key AS key, 1 AS step FROM t WHERE parent_task_key <> -1
    UNION ALL SELECT a.of_key, k.parent_task_key, step + 1 FROM above a JOIN dim_task k ON k.task_key = a.key
    WHERE k.parent_task_key <> -1 AND a.key <> a.of_key AND step < 50
), circle AS (SELECT DISTINCT of_key AS task_key FROM above WHERE key = of_key),
w AS (SELECT * FROM fact_worklog WHERE sealed_month IS NULL),
long_day AS (SELECT project_key, source_key, person_key, work_date, sum(seconds) AS seconds FROM w
    WHERE category = 'project' AND person_key <> -1 GROUP BY ALL),
evm AS (
    SELECT t.project_key, sum(t.baseline_days * CASE t.category WHEN 'done' THEN 1 WHEN 'cancelled' THEN 0
        ELSE coalesce(t.percent, 0) / 100 END) AS ev,
        (SELECT coalesce(sum(w.days), 0) FROM w WHERE w.project_key = t.project_key AND w.category = 'project'
            AND w.approval <> 'rejected') AS ac
    FROM t WHERE t.project_key <> -1 GROUP BY 1
), checks AS (
    SELECT 'leaf_without_estimate' AS check_code, 2.0 AS weight, project_key, source_key,
        coalesce(estimate_days, 0) = 0 AND coalesce(points, 0) = 0 AS failed
        FROM t WHERE counts AND is_leaf = 1 AND kind = 'work' AND category <> 'cancelled'
    UNION ALL SELECT 'open_without_remaining', 2.0, project_key, source_key, remaining_days IS NULL FROM t
        WHERE counts AND in_days AND kind <> 'milestone' AND category NOT IN ('done', 'cancelled')
    UNION ALL SELECT 'done_with_remaining', 2.0, project_key, source_key, coalesce(remaining_days, 0) > 0 FROM t
        WHERE counts AND category = 'done'
    UNION ALL SELECT 'late_without_new_date', 3.0, project_key, source_key,
        planned_finish < getvariable('as_of_day')::DATE FROM t
        WHERE planned_finish IS NOT NULL AND category NOT IN ('done', 'cancelled') AND is_leaf = 1
    UNION ALL SELECT 'no_baseline', 2.0, project_key, source_key, baseline_finish IS NULL FROM t
        WHERE is_baseline_counted = 1 AND is_leaf = 1 AND plugin = 'msproject'
    UNION ALL SELECT 'unmapped_status', 3.0, project_key, source_key, category = 'unknown' FROM t
        WHERE kind <> 'summary'
    UNION ALL SELECT 'cycle_in_hierarchy', 3.0, project_key, source_key, task_key IN (SELECT task_key FROM circle)
        FROM t WHERE parent_task_key <> -1
    UNION ALL SELECT 'orphan', 1.0, coalesce(p.project_key, -1), s.key, m.id IS NULL
        FROM task k JOIN source s ON s.id = k.source_id
        LEFT JOIN task_place p ON p.task_id = k.id LEFT JOIN task m ON m.id = k.parent_id
        WHERE k.counted AND k.parent_id IS NOT NULL
    UNION ALL SELECT 'account_without_person', 1.0, w.project_key, w.source_key, w.person_key < 0 FROM w
        WHERE w.person_key <> -1 AND EXISTS (SELECT 1 FROM person WHERE counted)
    UNION ALL SELECT 'worklog_without_task', 1.0, project_key, source_key, task_key = -1 FROM w
        WHERE category = 'project'
    UNION ALL SELECT 'worklog_without_rate', 1.0, project_key, source_key, amount IS NULL FROM w
        WHERE category = 'project' AND EXISTS (SELECT 1 FROM rate WHERE counted)
    UNION ALL SELECT 'day_over_12_hours', 2.0, project_key, source_key, seconds > 43200 FROM long_day
    UNION ALL SELECT 'container_without_project', 3.0, -1, s.key, true FROM container c
        JOIN source s ON s.id = c.source_id JOIN home h ON h.container_id = c.id
        WHERE c.counted AND h.project_key = -1 AND c.id IN (SELECT container_id FROM task WHERE counted
            UNION SELECT in_container FROM worklog_place WHERE reason IS NULL AND category = 'project')
    UNION ALL SELECT 'earned_without_hours', 2.0, project_key, -1, ac = 0 FROM evm WHERE ev > 0
    UNION ALL SELECT 'hours_of_two_tools', 3.0, a.project_key, -1, count(DISTINCT c.source_id) > 1
        FROM authority a JOIN container c ON c.id = a.container_id WHERE a.implicit_hours GROUP BY a.project_key
)
SELECT getvariable('cut_key') AS cut_key, project_key, source_key, check_code, max(weight) AS weight,
    count(*) AS n_checked, count(*) FILTER (failed) AS n_failed
FROM checks GROUP BY ALL
