-- Which project feeds on which container and task, and which of them is the authority for a facet.
-- A slot is a container seen through one line of project_links.csv, or through its own code where no line takes it whole.
-- Hours may name a task of another source by its code, as timesheets name the issues of a tracker.
CREATE TABLE coded AS
    SELECT o.task_id AS named, first(t.id ORDER BY t.counted DESC, t.key DESC) AS id
    FROM (SELECT DISTINCT w.task_id FROM worklog w WHERE w.task_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = w.task_id)) o
        JOIN task t ON t.source_id || ':' || t.code = o.task_id
    GROUP BY 1;
UPDATE worklog SET task_id = c.id FROM coded c WHERE worklog.task_id = c.named;
CREATE TABLE alone AS
    SELECT c.id, c.code, c.name, c.archived, (c.kind <> 'plan')::INTEGER * 1000000000000 + c.key AS rank,
        -1 - min(c.key) OVER (PARTITION BY lower(coalesce(c.code, c.id))) AS project_key
    FROM container c WHERE c.counted AND NOT EXISTS (SELECT 1 FROM project WHERE counted);
CREATE TABLE slot AS
    WITH link AS (
        SELECT l.key AS slot, c.id AS container_id, coalesce(p.key, -1) AS project_key, nullif(l.facets, '') AS facets, l.filter
        FROM project_link l JOIN container c ON l.container_id IN (c.id, c.source_id || ':' || c.code, c.source_id || ':' || c.name)
            LEFT JOIN project p ON p.code = l.project_code AND p.counted AND p.level IN ('project', 'workstream')
        WHERE l.counted QUALIFY row_number() OVER (PARTITION BY c.id, l.filter ORDER BY l.project_code) = 1
    )
    SELECT * FROM link
    UNION ALL
    SELECT -c.key, c.id, coalesce(same.key, a.project_key, -1), NULL, ''
    FROM container c LEFT JOIN project same ON lower(same.code) = lower(c.code) AND same.counted AND same.level IN ('project', 'workstream')
        LEFT JOIN alone a ON a.id = c.id
    WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.container_id = c.id AND l.filter = '');
UPDATE slot SET project_key = -1 FROM container c WHERE c.id = slot.container_id AND NOT c.counted;
-- the tool that counts where no line says so: plans for effort and baselines, timesheets for hours, trackers for points
CREATE TABLE authority AS
    WITH filled AS (
        SELECT container_id, bool_or(estimate_s IS NOT NULL OR remaining_s IS NOT NULL) AS effort, bool_or(points IS NOT NULL) AS points
        FROM task WHERE counted GROUP BY 1
    ), based AS (SELECT DISTINCT t.container_id FROM baseline b JOIN task t ON t.id = b.task_id WHERE b.counted AND t.counted
    ), logged AS (
        SELECT coalesce(w.container_id, t.container_id) AS container_id FROM worklog w LEFT JOIN task t ON t.id = w.task_id
        WHERE w.counted AND w.origin = 'timesheet' GROUP BY 1
    ), seen AS (
        SELECT s.*, c.kind, (c.kind <> 'plan')::INTEGER AS plan_rank, (c.kind <> 'table')::INTEGER AS hours_rank,
            coalesce(f.effort, false) AS has_effort, b.container_id IS NOT NULL AS has_baseline, coalesce(f.points, false) AS has_points,
            l.container_id IS NOT NULL AS has_hours, facets IS NULL AND s.project_key <> -1 AND c.counted AS implicit
        FROM slot s JOIN container c ON c.id = s.container_id LEFT JOIN filled f ON f.container_id = c.id
            LEFT JOIN based b ON b.container_id = c.id LEFT JOIN logged l ON l.container_id = c.id
    ), claim AS (
        SELECT DISTINCT project_key, trim(unnest(str_split(facets, ','))) AS facet FROM slot WHERE facets IS NOT NULL AND project_key <> -1
    ), claimed AS (
        SELECT project_key, bool_or(facet = 'effort') AS effort, bool_or(facet = 'baseline') AS baseline,
            bool_or(facet = 'actuals') AS actuals, bool_or(facet = 'flow') AS flow
        FROM claim GROUP BY 1
    ), best AS (
        SELECT project_key, min(plan_rank) FILTER (has_effort) AS effort, min(plan_rank) FILTER (has_baseline) AS baseline,
            min(hours_rank) FILTER (has_hours) AS actuals
        FROM seen WHERE implicit GROUP BY 1
    )
    SELECT s.slot, s.container_id, s.project_key, s.kind,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'effort')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.effort, false) AND s.plan_rank = coalesce(b.effort, s.plan_rank) END AS effort,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'baseline')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.baseline, false) AND s.plan_rank = coalesce(b.baseline, s.plan_rank) END AS baseline,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'actuals')
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.actuals, false) AND s.hours_rank = coalesce(b.actuals, s.hours_rank) END AS actuals,
        coalesce(list_contains(str_split(s.facets, ','), 'actuals'), false) AS plan_actuals,
        CASE WHEN s.facets IS NOT NULL THEN list_contains(str_split(s.facets, ','), 'flow')
                OR (NOT coalesce(k.flow, false) AND list_contains(str_split(s.facets, ','), 'effort'))
            WHEN NOT s.implicit THEN true ELSE NOT coalesce(k.flow, false) END AS flow,
        s.implicit AND NOT coalesce(k.actuals, false) AND s.has_hours AND s.hours_rank = b.actuals AS implicit_hours
    FROM seen s LEFT JOIN claimed k ON k.project_key = s.project_key LEFT JOIN best b ON b.project_key = s.project_key;
CREATE TABLE place AS
    SELECT a.*, coalesce(c.seconds_per_day, s.seconds_per_day) AS seconds_per_day
    FROM authority a JOIN container c ON c.id = a.container_id JOIN source s ON s.id = c.source_id;
CREATE TABLE home AS SELECT p.* FROM place p JOIN slot s USING (slot) WHERE s.filter = '';
CREATE TABLE task_place AS
    SELECT t.id AS task_id, p.* FROM task t JOIN best_hit h ON h.task_id = t.id JOIN place p ON p.slot = h.slot
    UNION ALL
    SELECT t.id, p.* FROM task t JOIN home p ON p.container_id = t.container_id
    WHERE NOT EXISTS (SELECT 1 FROM best_hit h WHERE h.task_id = t.id);
CREATE TABLE project_code AS
    SELECT code, key AS project_key FROM project WHERE counted AND level IN ('project', 'workstream')
    UNION ALL SELECT code, max(project_key) FROM alone WHERE code IS NOT NULL GROUP BY code;
