-- Grain: one project: who logged time on it in the eight weeks up to the day of the feed, else who is on its open
-- tasks.
WITH logged AS (
    SELECT project_key, count(DISTINCT person_key) AS n FROM kpi_work
    WHERE work_date > getvariable('as_of') - 56 AND person_key <> -1 GROUP BY 1
), assigned AS (
    SELECT project_key, count(DISTINCT person_key) AS n FROM kpi_task WHERE is_open AND person_key <> -1 GROUP BY 1
)
SELECT coalesce(l.n, a.n) AS n FROM dim_project p LEFT JOIN logged l USING (project_key)
    LEFT JOIN assigned a USING (project_key) WHERE p.project_key = $key
