-- Which container of a project is the authority for a facet, over the slots that hub/placement laid.
-- the tool that counts where no line says so: plans for effort and baselines, timesheets for hours, trackers for points
CREATE TABLE authority AS
    WITH filled AS (
        SELECT container_id, bool_or(estimate_s IS NOT NULL OR remaining_s IS NOT NULL) AS effort,
            bool_or(points IS NOT NULL) AS points
        FROM task WHERE counted GROUP BY 1
    ), based AS (SELECT DISTINCT t.container_id FROM baseline b JOIN task t ON t.id = b.task_id
        WHERE b.counted AND t.counted
    ), logged AS (
        SELECT container_id FROM hour_place WHERE kind = 'worklog' AND origin = 'timesheet' AND gone IS NULL GROUP BY 1
    ), seen AS (
        SELECT s.*, c.kind, (c.kind <> 'plan')::INTEGER AS plan_rank, (c.kind <> 'table')::INTEGER AS hours_rank,
            coalesce(f.effort, false) AS has_effort, b.container_id IS NOT NULL AS has_baseline,
            coalesce(f.points, false) AS has_points,
            l.container_id IS NOT NULL AS has_hours, facets IS NULL AND s.project_key <> -1 AND c.counted AS implicit
        FROM slot s JOIN container c ON c.id = s.container_id LEFT JOIN filled f ON f.container_id = c.id
            LEFT JOIN based b ON b.container_id = c.id LEFT JOIN logged l ON l.container_id = c.id
    ), without AS (
        -- what another hub left out of this container, where another tool of its project is the authority
        SELECT row_id AS container_id, bool_or(text = 'effort') AS effort, bool_or(text = 'baseline') AS baseline
        FROM custom_value WHERE field = 'pm-hub: leaves out' AND counted GROUP BY 1
    ), claim AS (
        SELECT DISTINCT project_key, trim(unnest(str_split(facets, ','))) AS facet FROM slot WHERE facets IS NOT NULL
            AND project_key <> -1
    ), claimed AS (
        SELECT project_key, bool_or(facet = 'effort') AS effort, bool_or(facet = 'baseline') AS baseline,
            bool_or(facet = 'actuals') AS actuals, bool_or(facet = 'flow') AS flow
        FROM claim GROUP BY 1
    ), best AS (
        SELECT project_key, min(plan_rank) FILTER (has_effort) AS effort,
            min(plan_rank) FILTER (has_baseline) AS baseline,
            min(hours_rank) FILTER (has_hours) AS actuals
        FROM seen WHERE implicit GROUP BY 1
    )
    SELECT s.slot, s.container_id, s.project_key, s.kind,
        CASE WHEN w.effort THEN false
            WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'effort')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.effort, false)
                AND s.plan_rank = coalesce(b.effort, s.plan_rank) END AS effort,
        CASE WHEN w.baseline THEN false
            WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'baseline')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.baseline, false)
                AND s.plan_rank = coalesce(b.baseline, s.plan_rank) END AS baseline,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'actuals')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.actuals, false)
                AND s.hours_rank = coalesce(b.actuals, s.hours_rank) END AS actuals,
        coalesce(list_contains(str_split(s.facets, ','), 'actuals'), false) AS plan_actuals,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'flow')
                OR (NOT coalesce(k.flow, false) AND list_contains(str_split(s.facets, ','), 'effort'))
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.flow, false) END AS flow,
        s.implicit AND NOT coalesce(k.actuals, false) AND s.has_hours AND s.hours_rank = b.actuals AS implicit_hours
    FROM seen s LEFT JOIN claimed k ON k.project_key = s.project_key LEFT JOIN best b ON b.project_key = s.project_key
        LEFT JOIN without w ON w.container_id = s.container_id;
CREATE TABLE place AS
    SELECT a.*, coalesce(c.seconds_per_day, s.seconds_per_day) AS seconds_per_day
    FROM authority a JOIN container c ON c.id = a.container_id JOIN source s ON s.id = c.source_id;
CREATE TABLE home AS SELECT p.* FROM place p JOIN home_slot USING (slot);
CREATE TABLE task_place AS SELECT t.task_id, p.* REPLACE (t.project_key AS project_key) FROM task_slot t
    JOIN place p USING (slot);
