-- Grain: one check of quality at the cut: rows looked at, rows that failed, and in how many projects.
SELECT check_code, max(weight) AS weight, sum(n_checked)::BIGINT AS checked, sum(n_failed)::BIGINT AS failed,
    count(DISTINCT project_key) FILTER (n_failed > 0 AND project_key <> -1) AS projects
FROM fact_quality WHERE cut_key = getvariable('cut')
    AND (getvariable('project') IS NULL OR project_key = getvariable('project'))
GROUP BY 1 HAVING checked > 0 ORDER BY failed DESC, 1
