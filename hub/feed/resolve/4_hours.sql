-- Every worklog with its project, its person, and the reason why it does not count.
CREATE TABLE worklog_place AS
    SELECT w.* EXCLUDE (task_id), h.task_id, h.container_id AS in_container, h.project_key, coalesce(h.task_key, -1) AS task_key,
        coalesce(o.person_key, -1) AS person_key, s.key AS source_key, coalesce(c.seconds_per_day, s.seconds_per_day) AS seconds_per_day,
        CASE WHEN h.gone IS NOT NULL THEN h.gone
            WHEN w.origin = 'plan' AND NOT coalesce(p.plan_actuals, false) THEN 'actual work of a plan, not a timesheet'
            WHEN w.origin = 'timesheet' AND NOT coalesce(p.actuals, true) THEN 'another container is the authority for actuals'
        END AS reason
    FROM worklog w JOIN hour_place h ON h.kind = 'worklog' AND h.key = w.key JOIN source s ON s.id = w.source_id
        LEFT JOIN container c ON c.id = h.container_id LEFT JOIN place p ON p.slot = h.slot
        LEFT JOIN person_of o ON o.account_id = w.account_id;
-- planned work, day by day: a span of several days is shared over its Mondays to Fridays
CREATE TABLE planned_day AS
    WITH spans AS (
        SELECT coalesce(o.person_key, -1) AS person_key, h.project_key, l.start_on::DATE AS d0,
            greatest(l.finish_on::DATE, l.start_on::DATE) AS d1, l.seconds, l.key, l.kind, coalesce(p.seconds_per_day, s.seconds_per_day) AS seconds_per_day
        FROM allocation l JOIN hour_place h ON h.kind = 'allocation' AND h.key = l.key JOIN source s ON s.id = l.source_id
            LEFT JOIN place p ON p.slot = h.slot LEFT JOIN person_of o ON o.account_id = l.account_id
        WHERE h.gone IS NULL AND coalesce(p.effort, true)
    ), days AS (
        SELECT s.*, unnest(generate_series(d0, d1, INTERVAL 1 DAY))::DATE AS day FROM spans s WHERE d0 < d1 AND d1 - d0 < 4000
    ), kept AS (
        SELECT *, count(*) FILTER (isodow(day) <= 5) OVER (PARTITION BY key) AS workdays, count(*) OVER (PARTITION BY key) AS alldays FROM days
    )
    SELECT person_key, project_key, kind, d0 AS day, seconds::DOUBLE AS seconds, seconds_per_day FROM spans WHERE d0 = d1
    UNION ALL SELECT person_key, project_key, kind, day, seconds / CASE WHEN workdays > 0 THEN workdays ELSE alldays END, seconds_per_day
    FROM kept WHERE workdays = 0 OR isodow(day) <= 5;
