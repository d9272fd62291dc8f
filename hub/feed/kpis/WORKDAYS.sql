-- Jours ouvrés | Working days
-- scope: calendar
-- period: year
-- measures: workdays count, holidays count
-- definition: Monday to Friday without the public holidays of the country, and what calendar_days.csv says.
SELECT year, sum(is_workday)::BIGINT AS workdays, sum(is_holiday)::BIGINT AS holidays FROM dim_date GROUP BY 1
    ORDER BY 1
