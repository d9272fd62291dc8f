-- Grain: one day of the calendar; a week begins on Monday, as everywhere in the feed.
SELECT date::TIMESTAMP AS TimeByDay, day(date)::UTINYINT AS TimeDayOfTheMonth, weekday::UTINYINT AS TimeDayOfTheWeek,
    month::UTINYINT AS TimeMonthOfTheYear, quarter::UTINYINT AS TimeQuarter, iso_week::UTINYINT AS TimeWeekOfTheYear,
    year::SMALLINT AS TimeYear
FROM dim_date
