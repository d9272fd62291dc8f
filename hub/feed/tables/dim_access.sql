-- Grain: one right of one person to see a project, a team, or a team's part of a project (both on one line), from
-- access.csv. A group is its people of access_groups.csv; without any it stands by its own address, if it is one.
WITH line AS (
    SELECT lower(trim(a.user_principal)) AS principal, coalesce(c.project_key, -1) AS project_key,
        coalesce(a.team, '') AS team
    FROM access a LEFT JOIN project_code c ON c.code = a.project_code
    WHERE a.counted AND CASE WHEN a.project_code IS NULL THEN a.team IS NOT NULL ELSE c.project_key IS NOT NULL END
), named AS (
    SELECT *, CASE WHEN starts_with(principal, 'group:') THEN trim(principal[7:]) END AS of_group FROM line
), found AS (
    SELECT coalesce(lower(trim(m.member)), n.of_group, n.principal) AS user_principal, n.project_key, n.team,
        n.of_group IS NOT NULL AND m.member IS NULL AS alone
    FROM named n LEFT JOIN access_group m ON m.counted AND lower(trim(m.group_name)) = n.of_group
)
SELECT DISTINCT user_principal, project_key, team FROM found
WHERE NOT starts_with(user_principal, 'group:') AND (NOT alone OR contains(user_principal, '@'))
