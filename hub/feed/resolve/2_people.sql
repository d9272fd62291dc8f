-- Who is who: an account belongs to the person it was matched to, else it stands alone below -1.
CREATE TABLE person_of AS
    SELECT a.id AS account_id, coalesce(p.key, -1 - a.key) AS person_key
    FROM account a LEFT JOIN person_link l ON l.account_id = a.id AND l.state = 'accepted' AND l.counted
        LEFT JOIN person p ON p.id = l.person_id AND p.counted;
-- by which calendar somebody works
CREATE TABLE person_calendar AS
    SELECT p.key AS person_key, coalesce(c.calendar, 'default') AS calendar, c.calendar IS NOT NULL AS is_told
    FROM person p LEFT JOIN (SELECT DISTINCT calendar FROM work_day) c ON lower(c.calendar) = lower(p.calendar_id)
    WHERE p.counted;
-- What a tool's calendars say of the days of somebody. A day off in one plan is one, whatever the others know.
CREATE TABLE tool_day AS
    WITH told AS (
        SELECT o.person_key, c.seconds, c.units, c.weekdays, coalesce(h.seconds_per_day, s.seconds_per_day) AS whole,
            unnest(generate_series(c.start_on::DATE, c.finish_on::DATE, INTERVAL 1 DAY))::DATE AS day
        FROM capacity c JOIN person_of o USING (account_id) JOIN source s ON s.id = c.source_id
            LEFT JOIN container h ON h.id = c.container_id
        WHERE c.counted AND coalesce(h.counted, true) AND c.finish_on::DATE - c.start_on::DATE < 4000
    )
    SELECT person_key, day, min(least(seconds / whole, 1.0)) AS share, min(seconds * units) AS seconds,
        max(whole) AS whole FROM told WHERE substr(weekdays, isodow(day)::INTEGER, 1) = '1' GROUP BY ALL;
