-- What a person-day costs: the narrowest rate valid that day (person, role, team, project, default), in the feed's
-- currency.
CREATE TABLE trait AS
    SELECT key AS person_key, lower(role) AS role, lower(team) AS team FROM person WHERE counted;
CREATE TABLE rate_at AS
    SELECT CASE r.scope WHEN 'person' THEN 'person ' || p.key WHEN 'project' THEN 'project ' || c.project_key
            WHEN 'default' THEN 'default' ELSE r.scope || ' ' || r.scope_id END AS who,
        r.valid_from, min(r.valid_to) AS valid_to, min(r.minor_per_day) AS minor, min(r.currency) AS currency
    FROM day_rate r LEFT JOIN person p ON r.scope = 'person' AND p.counted
            AND r.scope_id IN (lower(p.email), lower(p.employee_no), lower(p.display_name),
                lower(split_part(p.id, '/', 2)))
        LEFT JOIN project_code c ON r.scope = 'project' AND lower(c.code) = r.scope_id
    WHERE (r.scope <> 'person' OR p.key IS NOT NULL) AND (r.scope <> 'project' OR c.project_key IS NOT NULL)
        GROUP BY 1, 2;
CREATE TABLE priced AS
    WITH wanted AS (
        SELECT DISTINCT person_key, project_key, day::DATE AS day FROM worklog_place WHERE reason IS NULL
            AND EXISTS (SELECT 1 FROM rate_at)
        UNION SELECT DISTINCT coalesce(o.person_key, -1), coalesce(p.project_key, -1), getvariable('as_of_day')::DATE
            FROM task t LEFT JOIN person_of o ON o.account_id = t.assignee_id LEFT JOIN task_place p ON p.task_id = t.id
            WHERE EXISTS (SELECT 1 FROM rate_at)
    ), known AS (SELECT w.*, t.role, t.team FROM wanted w LEFT JOIN trait t USING (person_key)
    ), found AS (
        SELECT k.person_key, k.project_key, k.day,
            CASE WHEN a.minor IS NOT NULL AND k.day <= coalesce(a.valid_to, k.day)
                THEN {'minor': a.minor, 'currency': a.currency}
                WHEN b.minor IS NOT NULL AND k.day <= coalesce(b.valid_to, k.day)
                    THEN {'minor': b.minor, 'currency': b.currency}
                WHEN c.minor IS NOT NULL AND k.day <= coalesce(c.valid_to, k.day)
                    THEN {'minor': c.minor, 'currency': c.currency}
                WHEN d.minor IS NOT NULL AND k.day <= coalesce(d.valid_to, k.day)
                    THEN {'minor': d.minor, 'currency': d.currency}
                WHEN e.minor IS NOT NULL AND k.day <= coalesce(e.valid_to, k.day)
                    THEN {'minor': e.minor, 'currency': e.currency} END AS rate
        FROM known k
            ASOF LEFT JOIN rate_at a ON a.who = 'person ' || k.person_key AND k.day >= a.valid_from
            ASOF LEFT JOIN rate_at b ON b.who = 'role ' || k.role AND k.day >= b.valid_from
            ASOF LEFT JOIN rate_at c ON c.who = 'team ' || k.team AND k.day >= c.valid_from
            ASOF LEFT JOIN rate_at d ON d.who = 'project ' || k.project_key AND k.day >= d.valid_from
            ASOF LEFT JOIN rate_at e ON e.who = 'default' AND k.day >= e.valid_from
    )
    SELECT person_key, project_key, day,
        CASE WHEN rate.currency = getvariable('currency') THEN rate.minor
            ELSE round(rate.minor * x.factor)::BIGINT END AS minor_per_day
    FROM found LEFT JOIN exchange x ON x.currency = rate.currency AND x.month = strftime(day, '%Y-%m');
