-- Grain: one project and day: today's KPIs, those of every cut, and the points at the end of each sprint.
WITH story AS (
    SELECT f.task_key, f.project_key, f.points, k.created_at::DATE AS created_on, s.category
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
    WHERE f.cut_key = getvariable('cut_key') AND f.points IS NOT NULL AND s.category <> 'cancelled'
), today AS (SELECT project_key, sum(points) AS scope, coalesce(sum(points) FILTER (category = 'done'), 0) AS done
    FROM story GROUP BY 1),
work AS (
    SELECT f.project_key, count(*) FILTER (s.category NOT IN ('done', 'cancelled')) AS n_open,
        count(*) FILTER (s.category = 'done') AS n_done
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
    WHERE f.cut_key = getvariable('cut_key') AND k.is_leaf = 1 GROUP BY 1
), boundary AS (
    SELECT DISTINCT project_key, finish_date AS day FROM dim_iteration
    WHERE iteration_key <> -1 AND project_key <> -1 AND finish_date < getvariable('as_of_day')::DATE
), past AS (
    SELECT b.project_key, b.day, sum(s.points) FILTER (s.created_on IS NULL OR s.created_on <= b.day) AS scope,
        coalesce(sum(s.points) FILTER (i.status_key = 3), 0) AS done
    FROM boundary b JOIN story s USING (project_key)
        LEFT JOIN fact_status_interval i ON i.task_key = s.task_key AND i.entered_at::DATE <= b.day
            AND (i.left_at IS NULL OR i.left_at::DATE > b.day)
    GROUP BY 1, 2
), found AS (
    SELECT replace(getvariable('as_of_day'), '-', '')::BIGINT AS date_key, d.project_key, e.bac AS bac_days,
        e.pv AS pv_days, e.ev AS ev_days, e.ac AS ac_days,
        e.raf AS remaining_days, m.bac AS bac_amount, m.pv AS pv_amount, m.ev AS ev_amount, m.ac AS ac_amount,
        t.scope AS points_scope, t.done AS points_done,
        coalesce(w.n_open, 0) AS n_open, coalesce(w.n_done, 0) AS n_done, 0 AS place
    FROM dim_project d LEFT JOIN kpi_evm_days e USING (project_key) LEFT JOIN kpi_evm_amount m USING (project_key)
        LEFT JOIN today t USING (project_key) LEFT JOIN work w USING (project_key)
    UNION ALL BY NAME SELECT *, 1 AS place FROM cut_project_snapshot
    UNION ALL BY NAME SELECT strftime(day, '%Y%m%d')::BIGINT AS date_key, project_key, scope AS points_scope,
        done AS points_done, 2 AS place FROM past
)
SELECT * EXCLUDE (place) FROM found QUALIFY row_number() OVER (PARTITION BY date_key, project_key ORDER BY place) = 1
