-- Grain: one day. From the first to the last year any date falls in, plus odd days outside 1990-2100 one by one.
WITH days AS (SELECT unnest(generate_series(p.first_day, p.last_day, INTERVAL 1 DAY))::DATE AS date FROM period p
    UNION SELECT day FROM odd_days),
facts AS (
    SELECT d.date, h.name AS holiday_name, isodow(d.date) AS weekday,
        coalesce(w.is_workday, (isodow(d.date) <= 5)::INTEGER) AS is_workday
    FROM days d LEFT JOIN holiday h ON h.day = d.date LEFT JOIN company_day w ON w.day = d.date
)
SELECT year(date) * 10000 + month(date) * 100 + day(date) AS date_key, date, year(date) AS year,
    quarter(date) AS quarter,
    month(date) AS month, strftime(date, '%Y-%m') AS year_month, isoyear(date) AS iso_year, week(date) AS iso_week,
    isoyear(date) || '-W' || lpad(week(date)::VARCHAR, 2, '0') AS iso_week_label,
    (date - (weekday - 1)::INTEGER)::DATE AS week_start, weekday, (weekday > 5)::INTEGER AS is_weekend,
    (holiday_name IS NOT NULL)::INTEGER AS is_holiday, holiday_name, is_workday,
    sum(is_workday) OVER (ORDER BY date) AS workday_seq
FROM facts
