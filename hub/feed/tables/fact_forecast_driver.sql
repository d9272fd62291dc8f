-- Grain: one open task that drives its project's finish as forecast now; filled by hub/feed/forecast.
SELECT * FROM driver_row
