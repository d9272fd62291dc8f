-- Grain: one point of the S-curve of a project in person-days: planned and actual at the end of each month, in
-- the month of the cut on its day; earned on the day it was photographed.
SELECT f.project_key, series, on_day AS date, value
FROM fact_evm_month f JOIN dim_date d USING (date_key),
    LATERAL (VALUES ('planned', d.date, f.pv_days), ('earned', f.earned_date, f.ev_days),
        ('actual', d.date, f.ac_days)) point(series, on_day, value)
WHERE f.cut_key = getvariable('cut') AND value IS NOT NULL ORDER BY ALL
