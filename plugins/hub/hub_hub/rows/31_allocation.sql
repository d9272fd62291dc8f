-- a week that lies in two months is two rows, each within its month
SELECT own('plan/' || p.person_key || '/' || p.project_key || '/' || p.date_key || '/' || p.grain) AS id,
    person(p.person_key) AS account_id, h.id AS container_id, 'work' AS kind,
    strptime(p.date_key::VARCHAR, '%Y%m%d')::DATE AS start_on,
    least(CASE WHEN p.grain = 'week' THEN p.week_start + 6 ELSE DATE '9999-12-31' END,
        last_day(strptime(p.date_key::VARCHAR, '%Y%m%d')::DATE)) AS finish_on, p.planned_s AS seconds
FROM plan p JOIN home h ON h.project_key = p.project_key AND h.source_key = p.source_key AND h.long = p.long
UNION ALL
-- absence that no line of hours tells
SELECT own('away/' || c.person_key || '/' || c.date_key || '/' || c.grain), person(c.person_key), NULL, 'absence',
    strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE,
    least(CASE WHEN c.grain = 'week' THEN c.week_start + 6 ELSE DATE '9999-12-31' END,
        last_day(strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE)), c.absence_s
FROM fact_capacity_week c
WHERE c.absence_s > 0 AND c.person_key <> -1 AND NOT EXISTS (SELECT 1 FROM fact_worklog w
    WHERE w.category = 'absence' AND w.person_key = c.person_key
        AND date_trunc('week', w.work_date) = date_trunc('week', c.week_start))
