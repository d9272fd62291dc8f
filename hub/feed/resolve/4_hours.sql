-- Every worklog with its project, its person, and the reason why it does not count.
CREATE TABLE worklog_place AS
    SELECT w.* EXCLUDE (task_id), h.task_id, h.container_id AS in_container, h.project_key,
        coalesce(h.task_key, -1) AS task_key,
        coalesce(o.person_key, -1) AS person_key, s.key AS source_key,
        coalesce(c.seconds_per_day, s.seconds_per_day) AS seconds_per_day,
        CASE WHEN h.gone IS NOT NULL THEN h.gone
            WHEN w.origin = 'plan' AND NOT coalesce(p.plan_actuals, false) THEN 'actual work of a plan, not a timesheet'
            WHEN w.origin = 'timesheet' AND NOT coalesce(p.actuals, true)
                THEN 'another container is the authority for actuals'
        END AS reason
    FROM worklog w JOIN hour_place h ON h.kind = 'worklog' AND h.key = w.key JOIN source s ON s.id = w.source_id
        LEFT JOIN container c ON c.id = h.container_id LEFT JOIN place p ON p.slot = h.slot
        LEFT JOIN person_of o ON o.account_id = w.account_id;
-- planned work and why some of it is left out
CREATE TABLE planned AS
    SELECT l.key, l.kind, coalesce(o.person_key, -1) AS person_key, h.project_key, l.start_on::DATE AS first_day,
        greatest(l.finish_on::DATE, l.start_on::DATE) AS last_day, l.seconds, s.key AS source_key,
        coalesce(p.seconds_per_day, s.seconds_per_day) AS seconds_per_day,
        CASE WHEN h.gone IS NOT NULL THEN h.gone WHEN NOT coalesce(p.effort, true)
            THEN 'another container is the authority for effort'
            WHEN l.finish_on::DATE - l.start_on::DATE >= 4000 THEN 'planned over more than ten years' END AS reason
    FROM allocation l JOIN hour_place h ON h.kind = 'allocation' AND h.key = l.key JOIN source s ON s.id = l.source_id
        LEFT JOIN place p ON p.slot = h.slot LEFT JOIN person_of o ON o.account_id = l.account_id;
-- What is planned or entered for several days belongs to the working days of the person among them (to all of them
-- where none is worked), in whole seconds that sum to what was said. A month that was sealed before the hub did so
-- keeps its lines on their first day.
CREATE TABLE span AS
    SELECT 'plan' AS what, key, person_key, first_day, last_day, seconds FROM planned WHERE reason IS NULL
    UNION ALL
    SELECT 'hours', w.key, w.person_key, w.day::DATE, w.finish_on::DATE, w.seconds FROM worklog_place w
    WHERE w.finish_on > w.day AND w.finish_on::DATE - w.day::DATE < 4000
        AND NOT EXISTS (SELECT 1 FROM period_close c
            WHERE c.method = 1 AND c.month BETWEEN left(w.day, 7) AND left(w.finish_on, 7));
CREATE TABLE span_day AS
    WITH days AS (SELECT *, unnest(generate_series(first_day, last_day, INTERVAL 1 DAY))::DATE AS day FROM span
    ), known AS (
        SELECT d.*, coalesce(w.seconds, 0) > 0 AS worked FROM days d LEFT JOIN person_calendar c USING (person_key)
            LEFT JOIN work_day w ON w.calendar = coalesce(c.calendar, 'default') AND w.day = d.day
    ), kept AS (SELECT * FROM known QUALIFY worked OR NOT bool_or(worked) OVER (PARTITION BY what, key)
    ), placed AS (
        SELECT *, count(*) OVER (PARTITION BY what, key) AS n,
            row_number() OVER (PARTITION BY what, key ORDER BY day) AS place FROM kept
    ), shared AS (
        SELECT what, key, day, place, (sign(seconds) * (abs(seconds) // n
            + (place <= abs(seconds) % n)::BIGINT))::BIGINT AS seconds FROM placed
    )
    SELECT what, key, day, seconds FROM shared WHERE seconds <> 0 OR place = 1;
CREATE TABLE span_row AS SELECT * FROM worklog_place WHERE key IN (SELECT key FROM span WHERE what = 'hours');
DELETE FROM worklog_place WHERE key IN (SELECT key FROM span_row);
INSERT INTO worklog_place
    SELECT w.* REPLACE (w.id || '@' || d.day AS id, d.day::VARCHAR AS day, d.seconds AS seconds)
    FROM span_row w JOIN span_day d ON d.what = 'hours' AND d.key = w.key;
CREATE TABLE planned_day AS
    SELECT p.person_key, p.project_key, p.kind, d.day, d.seconds, p.seconds_per_day, p.source_key
    FROM planned p JOIN span_day d ON d.what = 'plan' AND d.key = p.key;
-- the first day of the part of a week that lies in one month; a day of an odd year, which the calendar has alone, is
-- its own
CREATE TABLE part_of_week AS
    SELECT day, strftime(greatest(date_trunc('week', day), date_trunc('month', day)), '%Y%m%d')::BIGINT AS date_key
    FROM (SELECT unnest(generate_series(first_day, last_day, INTERVAL 1 DAY))::DATE AS day FROM period)
    UNION ALL SELECT day, year(day) * 10000 + month(day) * 100 + day(day) FROM odd_days;
