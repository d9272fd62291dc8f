-- a week that lies in two months is two rows, each within its month
SELECT own('plan/' || p.person_key || '/' || p.project_key || '/' || p.date_key || '/' || p.grain) AS id,
    person(p.person_key) AS account_id, h.id AS container_id, 'work' AS kind,
    strptime(p.date_key::VARCHAR, '%Y%m%d')::DATE AS start_on,
    least(CASE WHEN p.grain = 'week' THEN p.week_start + 6 ELSE DATE '9999-12-31' END,
        last_day(strptime(p.date_key::VARCHAR, '%Y%m%d')::DATE)) AS finish_on, p.planned_s AS seconds
FROM plan p JOIN home h ON h.project_key = p.project_key AND h.source_key = p.source_key AND h.long = p.long
UNION ALL
-- absence that no line of hours tells: of a week without such a line whole, else what is left on its other days
(WITH line AS (
    SELECT person_key, work_date, category = 'absence' AS away, sum(days) AS days FROM fact_worklog
    WHERE approval <> 'rejected' GROUP BY ALL
), part AS (
    SELECT c.*, strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE AS first_day,
        least(CASE WHEN c.grain = 'week' THEN c.week_start + 6 ELSE DATE '9999-12-31' END,
            last_day(strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE)) AS last_day
    FROM fact_capacity_week c WHERE c.person_key <> -1
), said AS (
    SELECT p.person_key, p.date_key, sum(l.days) FILTER (l.away) AS away, sum(l.days) FILTER (NOT l.away) AS worked
    FROM part p JOIN line l ON l.person_key = p.person_key AND l.work_date BETWEEN p.first_day AND p.last_day GROUP BY ALL
), long AS (
    -- how long a whole day of somebody is: what they logged, in hours and in days
    SELECT person_key, median(logged_s / worked) AS seconds FROM part JOIN said USING (person_key, date_key)
    WHERE worked > 0 AND logged_s > 0 GROUP BY 1
), rest AS (
    SELECT p.*, s.away, p.absence_s - coalesce(round(s.away * g.seconds), 0)::BIGINT AS left_s
    FROM part p LEFT JOIN said s USING (person_key, date_key) LEFT JOIN long g USING (person_key)
    WHERE p.absence_s > 0 AND (s.away IS NULL OR (g.seconds IS NOT NULL AND getvariable('lines')))
), free AS (
    SELECT r.person_key, r.date_key, r.left_s, d.date AS day, count(*) OVER one AS n,
        row_number() OVER (PARTITION BY r.person_key, r.date_key ORDER BY d.date) AS place
    FROM rest r JOIN dim_date d ON d.date BETWEEN r.first_day AND r.last_day AND d.is_workday = 1
    WHERE r.away IS NOT NULL AND r.left_s > 60 AND NOT EXISTS (SELECT 1 FROM line l
        WHERE l.away AND l.person_key = r.person_key AND l.work_date = d.date)
    WINDOW one AS (PARTITION BY r.person_key, r.date_key)
)
SELECT own('away/' || r.person_key || '/' || r.date_key || '/' || r.grain), person(r.person_key), NULL, 'absence',
    r.first_day, r.last_day, r.absence_s
FROM rest r WHERE r.away IS NULL
UNION ALL
SELECT own('away/' || f.person_key || '/' || f.day), person(f.person_key), NULL, 'absence', f.day, f.day,
    f.left_s // f.n + (f.place <= f.left_s % f.n)::BIGINT
FROM free f)
