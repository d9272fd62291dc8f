-- Who is who: an account belongs to the person it was matched to, else it stands alone below -1.
CREATE TABLE person_of AS
    SELECT a.id AS account_id, coalesce(p.key, -1 - a.key) AS person_key
    FROM account a LEFT JOIN person_link l ON l.account_id = a.id AND l.state = 'accepted' AND l.counted
        LEFT JOIN person p ON p.id = l.person_id AND p.counted;
-- by which calendar somebody works
CREATE TABLE person_calendar AS
    SELECT p.key AS person_key, coalesce(c.calendar, 'default') AS calendar
    FROM person p LEFT JOIN (SELECT DISTINCT calendar FROM work_day) c ON lower(c.calendar) = lower(p.calendar_id)
    WHERE p.counted;
