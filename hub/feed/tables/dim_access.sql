-- Grain: one right of one person to see a project or a team, from access.csv.
SELECT a.user_principal, coalesce(c.project_key, -1) AS project_key, coalesce(a.team, '') AS team
FROM access a LEFT JOIN project_code c ON c.code = a.project_code
WHERE a.counted AND (a.project_code IS NULL OR c.project_key IS NOT NULL)
