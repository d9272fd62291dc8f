-- Which baseline of a task counts: that of its tool, else the one the hub keeps. Of a tool's several it is the first
-- one, or the one that its plan's own row "pm-hub: baseline" says. A task that was deleted stays in its
-- baseline, as a cancelled one does, until all the rest of its container got a new baseline without it. A baseline that
-- left together with its task counts still; one that was cleared before does not.
CREATE TABLE task_baseline AS
    SELECT b.*, t.container_id, t.counted AS here, t.run_id AS task_run, t.recorded_at::TIMESTAMPTZ AS task_at
    FROM baseline b JOIN task t ON t.id = b.task_id LEFT JOIN container c ON c.id = t.container_id
        LEFT JOIN custom_value v ON v.row_id = t.container_id AND v.field = 'pm-hub: baseline' AND v.counted
    WHERE (b.no = coalesce(v.number, 0) OR b.origin = 'hub')
        AND (b.counted OR (NOT t.counted AND coalesce(c.counted, true) AND b.run_id >= t.run_id))
    QUALIFY row_number() OVER (PARTITION BY b.task_id ORDER BY (b.origin = 'hub'), b.no, b.key DESC) = 1;
CREATE TABLE task_kept AS
    WITH rest AS (
        SELECT container_id, origin, min(captured_at::TIMESTAMPTZ) AS captured_at,
            max(captured_at::TIMESTAMPTZ) AS last_at,
            bool_or(captured_at IS NULL) AS unsaid, min(run_id) AS run_id
        FROM task_baseline WHERE here GROUP BY ALL
    ), gone AS (
        -- a tool that does not say when it took a baseline: one that was read anew with the deletion or since
        SELECT b.*, CASE WHEN b.captured_at IS NOT NULL AND NOT r.unsaid THEN r.captured_at > b.captured_at::TIMESTAMPTZ
                ELSE r.run_id >= b.task_run END AS by_tool,
            h.last_at > b.task_at AS by_hub
        FROM task_baseline b LEFT JOIN rest r ON r.container_id = b.container_id AND r.origin = b.origin
            LEFT JOIN rest h ON h.container_id = b.container_id AND h.origin = 'hub'
        WHERE NOT b.here
    )
    SELECT g.task_id FROM gone g LEFT JOIN container c ON c.id = g.container_id
        LEFT JOIN task_place p ON p.task_id = g.task_id
    WHERE NOT coalesce(by_tool, false) AND NOT coalesce(by_hub, false) AND coalesce(c.counted, true)
        AND coalesce(p.baseline, true) AND (g.finish_on IS NOT NULL OR g.effort_s IS NOT NULL);
