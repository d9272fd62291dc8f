-- Grain: one working day.
SELECT date, workday_seq FROM dim_date WHERE is_workday = 1
