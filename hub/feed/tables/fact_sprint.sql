-- Grain: one sprint that began, and one project. Who was in it when is told by the history of the sprint of each task,
-- whose first line says what was so before; a task without such history is in its sprint since it was created.
WITH box AS (
    SELECT key AS iteration_key, id, source_id, split_part(id, ':', 2) AS native, start_at::TIMESTAMPTZ AS began,
        least(coalesce(completed_at, CASE WHEN lower(state) = 'closed' THEN finish_at END)::TIMESTAMPTZ,
            getvariable('moment')::TIMESTAMPTZ) AS ended
    FROM iteration WHERE counted AND start_at IS NOT NULL
        AND start_at::TIMESTAMPTZ <= getvariable('moment')::TIMESTAMPTZ
), story AS (
    SELECT t.id, t.key AS task_key, t.source_id, t.iteration_id, t.points, coalesce(p.project_key, -1) AS project_key
    FROM task t LEFT JOIN task_place p ON p.task_id = t.id
    WHERE t.counted AND t.kind <> 'summary' AND coalesce(p.flow, true)
), told AS (
    SELECT c.task_id, c.field, c.from_value, c.to_value, c.at::TIMESTAMPTZ AS at,
        row_number() OVER w AS place, lead(c.at::TIMESTAMPTZ) OVER w AS until
    FROM task_change c JOIN story s ON s.id = c.task_id WHERE c.field IN ('sprint', 'points') AND c.counted
    WINDOW w AS (PARTITION BY c.task_id, c.field ORDER BY c.at, c.key)
), was AS (
    SELECT task_id, field, from_value AS value, NULL::TIMESTAMPTZ AS since, told.at AS until FROM told WHERE place = 1
    UNION ALL SELECT task_id, field, to_value, told.at, until FROM told
), member AS (
    SELECT w.task_id, b.iteration_key, w.since, w.until
    FROM (SELECT task_id, trim(unnest(string_split(value, ','))) AS one, since, until FROM was WHERE field = 'sprint') w
        JOIN story s ON s.id = w.task_id
        JOIN box b ON b.source_id = s.source_id AND (w.one = b.id OR w.one = b.native OR 's' || w.one = b.native)
    UNION ALL SELECT s.id, b.iteration_key, NULL, NULL FROM story s JOIN box b ON b.id = s.iteration_id
        WHERE NOT EXISTS (SELECT 1 FROM told t WHERE t.task_id = s.id AND t.field = 'sprint')
), stay AS (
    SELECT b.iteration_key, m.task_id,
        bool_or(coalesce(m.since <= b.began, true) AND coalesce(m.until > b.began, true)) AS at_start,
        bool_or(coalesce(m.since <= b.ended, true) AND coalesce(m.until > b.ended, true)) AS at_end,
        bool_or(coalesce(m.since <= b.ended, true) AND coalesce(m.until > b.began, true)) AS ever,
        any_value(b.began) AS began, any_value(b.ended) AS ended
    FROM member m JOIN box b USING (iteration_key) GROUP BY ALL
), valued AS (
    SELECT y.*, s.project_key,
        coalesce((SELECT any_value(try_cast(w.value AS DOUBLE)) FROM was w WHERE w.task_id = y.task_id
            AND w.field = 'points' AND coalesce(w.since <= y.began, true) AND coalesce(w.until > y.began, true)),
            CASE WHEN NOT EXISTS (SELECT 1 FROM told t WHERE t.task_id = y.task_id AND t.field = 'points')
                THEN s.points END, 0) AS points_then,
        coalesce((SELECT any_value(try_cast(w.value AS DOUBLE)) FROM was w WHERE w.task_id = y.task_id
            AND w.field = 'points' AND coalesce(w.since <= y.ended, true) AND coalesce(w.until > y.ended, true)),
            CASE WHEN NOT EXISTS (SELECT 1 FROM told t WHERE t.task_id = y.task_id AND t.field = 'points')
                THEN s.points END, 0) AS points_at_end,
        EXISTS (SELECT 1 FROM fact_status_interval i WHERE i.task_key = s.task_key AND i.status_key = 3
            AND i.entered_at <= y.ended AND coalesce(i.left_at > y.ended, true)) AS is_done
    FROM stay y JOIN story s ON s.id = y.task_id WHERE y.ever
)
SELECT iteration_key, project_key,
    coalesce(sum(points_then) FILTER (at_start), 0) AS committed_points,
    coalesce(sum(points_at_end) FILTER (NOT at_start), 0) AS added_points,
    coalesce(sum(points_at_end) FILTER (NOT at_end), 0) AS removed_points,
    coalesce(sum(points_at_end) FILTER (at_end AND is_done), 0) AS done_points,
    count(*) FILTER (at_start) AS committed_tasks, count(*) FILTER (NOT at_start) AS added_tasks,
    count(*) FILTER (NOT at_end) AS removed_tasks, count(*) FILTER (at_end AND is_done) AS done_tasks
FROM valued GROUP BY ALL
