-- Grain: one person, project, ISO week and month: a week that lies in two months gives two rows, dated the first day of
-- each part. What is planned for several days is shared over the working days among them.
WITH moves AS (
    SELECT day, person_key, project_key, seconds AS planned_s, 0 AS logged_s FROM planned_day WHERE kind = 'work'
    UNION ALL SELECT work_date, person_key, project_key, 0, seconds FROM fact_worklog WHERE category = 'project'
)
SELECT date_trunc('week', m.day)::DATE AS week_start, strftime(m.day, '%Y-%m') AS year_month,
    min(p.date_key) AS date_key,
    person_key, project_key, sum(planned_s)::BIGINT AS planned_s, sum(logged_s)::BIGINT AS logged_s, 'week' AS grain
FROM moves m JOIN part_of_week p USING (day) GROUP BY ALL
