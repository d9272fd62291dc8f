-- Grain: one person of people.csv and ISO week. Days of each tool are turned into hours of the person's own calendar.
WITH span AS (
    SELECT date_trunc('week', least(min(day), getvariable('as_of_day')::DATE))::DATE AS first_day,
        date_trunc('week', greatest(max(day), getvariable('as_of_day')::DATE))::DATE + 6 AS last_day
    FROM (SELECT work_date AS day FROM fact_worklog UNION ALL SELECT day FROM planned_day) WHERE year(day) BETWEEN 1990 AND 2100
), who AS (
    SELECT p.key AS person_key, coalesce(c.code, 'default') AS calendar, p.fte, p.active_from::DATE AS active_from, p.active_to::DATE AS active_to
    FROM person p LEFT JOIN (SELECT DISTINCT calendar AS code FROM work_day) c ON lower(c.code) = lower(p.calendar_id) WHERE p.counted
), full_day AS (SELECT calendar, max(seconds) AS seconds FROM work_day WHERE usual GROUP BY 1),
able AS (
    SELECT w.person_key, d.day, d.seconds * w.fte AS seconds FROM who w JOIN work_day d ON d.calendar = w.calendar, span
    WHERE d.day BETWEEN span.first_day AND span.last_day AND d.day >= coalesce(w.active_from, d.day) AND d.day <= coalesce(w.active_to, d.day)
), away AS (
    SELECT person_key, day, max(days) AS days FROM (
        SELECT person_key, work_date AS day, sum(days) AS days FROM fact_worklog WHERE category = 'absence' AND approval <> 'rejected' GROUP BY 1, 2
        UNION ALL SELECT person_key, day, sum(seconds / seconds_per_day) FROM planned_day WHERE kind = 'absence' GROUP BY 1, 2) GROUP BY 1, 2
), moves AS (
    SELECT date_trunc('week', day)::DATE AS week_start, person_key, seconds AS capacity_s, 0.0 AS absent, 0.0 AS allocated, 0.0 AS logged FROM able
    UNION ALL SELECT date_trunc('week', day)::DATE, person_key, 0, days, 0, 0 FROM away
    UNION ALL SELECT date_trunc('week', day)::DATE, person_key, 0, 0, seconds / seconds_per_day, 0 FROM planned_day WHERE kind = 'work'
    UNION ALL SELECT date_trunc('week', work_date)::DATE, person_key, 0, 0, 0, days FROM fact_worklog WHERE category <> 'absence' AND approval <> 'rejected'
)
SELECT m.week_start, m.person_key, round(sum(m.capacity_s))::BIGINT AS capacity_s, round(sum(m.absent) * any_value(f.seconds))::BIGINT AS absence_s,
    round(sum(m.allocated) * any_value(f.seconds))::BIGINT AS allocated_s, round(sum(m.logged) * any_value(f.seconds))::BIGINT AS logged_s, 'week' AS grain
FROM moves m JOIN who w USING (person_key) JOIN full_day f USING (calendar) GROUP BY m.week_start, m.person_key
