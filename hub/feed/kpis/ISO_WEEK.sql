-- Semaines ISO | ISO weeks
-- scope: calendar
-- period: date
-- measures: w text
-- definition: week and year of ISO 8601; 2026 has 53 weeks.
SELECT date, iso_week_label AS w FROM dim_date ORDER BY 1
