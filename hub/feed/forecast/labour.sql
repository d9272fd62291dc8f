-- Grain: one project and day up to the moment that the KPIs are pointed at: seconds of labour.
SELECT project_key, date_diff('day', DATE '1970-01-01', work_date)::DOUBLE AS day, sum(seconds)::DOUBLE AS seconds
FROM kpi_work WHERE project_key <> -1 GROUP BY 1, 2 ORDER BY 1, 2
