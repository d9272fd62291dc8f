-- Grain: one task of a project at the cut: what is open by its expected end, then what is done.
SELECT t.reference, t.title, t.kind, t.category AS status, k.phase, t.percent, t.baseline_finish,
    coalesce(t.actual_finish, t.planned_finish) AS finish, t.baseline_days, t.remaining_days, t.is_critical,
    k.assignees, s.name AS source, k.url, count(*) OVER () AS n
FROM kpi_task t JOIN dim_task k USING (task_key) LEFT JOIN dim_source s USING (source_key)
WHERE t.project_key = getvariable('project') AND t.kind <> 'summary' AND t.category <> 'cancelled'
    AND (NOT getvariable('open') OR t.is_open)
ORDER BY t.is_open DESC, finish NULLS LAST, t.reference, t.task_key
LIMIT getvariable('most') OFFSET getvariable('skip')
