-- Grain: one day of the project's trend up to the cut, in person-days: budget, planned, earned and actual.
SELECT d.date::timestamp AT TIME ZONE 'UTC' AS time, s.bac_days AS bac_days, s.pv_days AS pv_days,
    s.ev_days AS ev_days, s.ac_days AS ac_days
FROM feed.fact_project_snapshot s
    JOIN feed.dim_date d ON d.date_key = s.date_key
    JOIN feed.dim_cut c ON c.cut_key = ${cut:sqlstring}
WHERE d.date <= c.as_of AND s.project_key::text IN (${project:sqlstring})
ORDER BY 1
