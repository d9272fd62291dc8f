-- Grain: one person, ISO week and month: a week that lies in two months gives two rows, dated the first day of each
-- part. Days of each tool are turned into hours of the person's own calendar. Whom people.csv does not name has what
-- the calendars of their tool say. What it names has the calendar that it says; where it says none, the company's, less
-- what their tool knows as days off or shorter ones.
WITH span AS (
    SELECT date_trunc('week', least(min(day), getvariable('as_of_day')::DATE))::DATE AS first_day,
        date_trunc('week', greatest(max(day), getvariable('as_of_day')::DATE))::DATE + 6 AS last_day
    FROM (SELECT work_date AS day FROM fact_worklog UNION ALL SELECT day FROM planned_day)
    WHERE year(day) BETWEEN 1990 AND 2100
), who AS (
    SELECT p.key AS person_key, c.calendar, c.is_told, p.fte, p.active_from::DATE AS active_from,
        p.active_to::DATE AS active_to, f.seconds AS full_day
    FROM person p JOIN person_calendar c ON c.person_key = p.key
        JOIN (SELECT calendar, max(seconds) AS seconds FROM work_day WHERE usual GROUP BY 1) f USING (calendar)
    UNION ALL SELECT person_key, NULL, NULL, 1, NULL, NULL, max(whole) FROM tool_day WHERE person_key < -1 GROUP BY 1
), able AS (
    SELECT w.person_key, d.day, d.seconds * w.fte * CASE WHEN w.is_told THEN 1 ELSE coalesce(t.share, 1) END AS seconds
    FROM who w JOIN work_day d ON d.calendar = w.calendar
        LEFT JOIN tool_day t ON t.person_key = w.person_key AND t.day = d.day, span
    WHERE d.day BETWEEN span.first_day AND span.last_day AND d.day >= coalesce(w.active_from, d.day)
        AND d.day <= coalesce(w.active_to, d.day)
    UNION ALL SELECT person_key, day, seconds FROM tool_day, span
    WHERE person_key < -1 AND day BETWEEN span.first_day AND span.last_day
        AND NOT EXISTS (SELECT 1 FROM work_day c LEFT JOIN holiday h USING (day) WHERE c.calendar = 'default'
            AND c.day = tool_day.day AND c.seconds = 0 AND (h.day IS NOT NULL OR NOT c.usual))
), teller AS (SELECT key AS source_key, CASE WHEN kind = 'hub' THEN key ELSE 0 END AS teller FROM source
), away AS (
    -- several hubs that say of somebody that they are away a day say it of one day, of a half each of both halves
    SELECT person_key, day, greatest(max(days), least(sum(days), 1.0)) AS days FROM (
        SELECT person_key, day, teller, max(days) AS days FROM (
            SELECT person_key, work_date AS day, coalesce(teller, 0) AS teller, sum(days) AS days
            FROM fact_worklog LEFT JOIN teller USING (source_key)
            WHERE category = 'absence' AND approval <> 'rejected' GROUP BY ALL
            UNION ALL SELECT person_key, day, teller, sum(seconds / seconds_per_day)
            FROM planned_day JOIN teller USING (source_key) WHERE kind = 'absence' GROUP BY ALL) GROUP BY ALL)
        GROUP BY ALL
), moves AS (
    SELECT day, person_key, seconds AS capacity_s, 0.0 AS absent, 0.0 AS allocated, 0.0 AS logged FROM able
    UNION ALL SELECT day, person_key, 0, days, 0, 0 FROM away
    UNION ALL SELECT day, person_key, 0, 0, seconds / seconds_per_day, 0 FROM planned_day WHERE kind = 'work'
    UNION ALL SELECT work_date, person_key, 0, 0, 0, days FROM fact_worklog WHERE category <> 'absence'
        AND approval <> 'rejected'
)
SELECT date_trunc('week', m.day)::DATE AS week_start, strftime(m.day, '%Y-%m') AS year_month,
    min(p.date_key) AS date_key,
    m.person_key, round(sum(m.capacity_s))::BIGINT AS capacity_s,
    round(sum(m.absent) * any_value(w.full_day))::BIGINT AS absence_s,
    round(sum(m.allocated) * any_value(w.full_day))::BIGINT AS allocated_s,
    round(sum(m.logged) * any_value(w.full_day))::BIGINT AS logged_s, 'week' AS grain
FROM moves m JOIN part_of_week p USING (day) JOIN who w USING (person_key) GROUP BY ALL
