-- Grain: one sprint and project that had begun at the cut, the latest first.
SELECT i.name, i.start_date, i.finish_date, i.state, f.project_key, f.committed_points, f.added_points,
    f.removed_points, f.done_points, count(*) OVER () AS n
FROM fact_sprint f JOIN dim_iteration i USING (iteration_key)
WHERE i.start_date <= getvariable('as_of')::DATE
ORDER BY i.start_date DESC, f.project_key, i.name LIMIT getvariable('most') OFFSET getvariable('skip')
