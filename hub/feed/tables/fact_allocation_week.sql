-- Grain: one person, project and ISO week. A span of several days is shared over its Mondays to Fridays.
WITH moves AS (
    SELECT date_trunc('week', day)::DATE AS week_start, person_key, project_key, seconds AS planned_s, 0 AS logged_s FROM planned_day WHERE kind = 'work'
    UNION ALL SELECT date_trunc('week', work_date)::DATE, person_key, project_key, 0, seconds FROM fact_worklog WHERE category = 'project'
)
SELECT week_start, person_key, project_key, round(sum(planned_s))::BIGINT AS planned_s, sum(logged_s)::BIGINT AS logged_s, 'week' AS grain
FROM moves GROUP BY ALL
