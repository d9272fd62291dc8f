-- Grain: one week of the thirteen that end at the cut: tasks created, and tasks done that week.
WITH week AS (
    SELECT DISTINCT week_start FROM dim_date
    WHERE date BETWEEN getvariable('as_of')::DATE - 90 AND getvariable('as_of')::DATE
), task AS (
    SELECT k.created_at, k.resolved_at, s.category FROM fact_task_snapshot f JOIN dim_task k USING (task_key)
        JOIN dim_status s USING (status_key)
    WHERE f.cut_key = getvariable('cut') AND k.is_leaf = 1 AND coalesce(k.is_deleted, 0) = 0 AND k.kind <> 'milestone'
        AND (getvariable('project') IS NULL OR f.project_key = getvariable('project'))
)
SELECT w.week_start, (SELECT count(*) FROM task WHERE date_trunc('week', created_at)::DATE = w.week_start) AS created,
    (SELECT count(*) FROM task WHERE category = 'done' AND resolved_at <= getvariable('as_of_at')
        AND date_trunc('week', resolved_at)::DATE = w.week_start) AS done
FROM week w ORDER BY 1
