-- Grain: one person, project and ISO week. A span of several days is shared over its Mondays to Fridays.
WITH spans AS (
    SELECT coalesce(-1 - a.key, -1) AS person_key, coalesce(p.project_key, -1) AS project_key, l.start_on::DATE AS d0,
        greatest(l.finish_on::DATE, l.start_on::DATE) AS d1, l.seconds, l.key
    FROM allocation l LEFT JOIN account a ON a.id = l.account_id LEFT JOIN place p ON p.container_id = l.container_id
    WHERE l.counted AND l.kind = 'work' AND coalesce(p.effort, true)
), one_day AS (SELECT person_key, project_key, d0 AS day, seconds::DOUBLE AS seconds FROM spans WHERE d0 = d1),
days AS (
    SELECT s.*, unnest(generate_series(d0, d1, INTERVAL 1 DAY))::DATE AS day FROM spans s WHERE d0 < d1 AND d1 - d0 < 4000
), kept AS (SELECT *, count(*) FILTER (isodow(day) <= 5) OVER (PARTITION BY key) AS workdays, count(*) OVER (PARTITION BY key) AS alldays FROM days),
planned AS (
    SELECT person_key, project_key, day, seconds FROM one_day
    UNION ALL SELECT person_key, project_key, day, seconds / CASE WHEN workdays > 0 THEN workdays ELSE alldays END
    FROM kept WHERE workdays = 0 OR isodow(day) <= 5
), moves AS (
    SELECT date_trunc('week', day)::DATE AS week_start, person_key, project_key, seconds AS planned_s, 0 AS logged_s FROM planned
    UNION ALL SELECT date_trunc('week', work_date)::DATE, person_key, project_key, 0, seconds FROM fact_worklog WHERE category = 'project'
)
SELECT week_start, person_key, project_key, round(sum(planned_s))::BIGINT AS planned_s, sum(logged_s)::BIGINT AS logged_s
FROM moves GROUP BY ALL
