-- Grain: one month of the S-curve of the project at the cut, in person-days: planned, earned and actual to date.
SELECT d.date::timestamp AT TIME ZONE 'UTC' AS time, f.pv_days AS pv_days, f.ev_days AS ev_days, f.ac_days AS ac_days
FROM feed.fact_evm_month f
    JOIN feed.dim_date d ON d.date_key = f.date_key
    JOIN feed.dim_cut c ON c.cut_key = f.cut_key
WHERE c.cut_key = ${cut:sqlstring} AND f.project_key::text IN (${project:sqlstring})
ORDER BY 1
