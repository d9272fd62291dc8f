-- Grain: one team, and at the level of lines one person: what a project's tasks still ask of it, now.
SELECT p.team, CASE WHEN getvariable('persons') THEN p.person_label END AS person, count(DISTINCT a.task_key) AS tasks,
    sum(a.planned_days) AS planned_days, sum(a.remaining_days) AS remaining_days
FROM fact_assignment a JOIN dim_person p USING (person_key)
WHERE a.project_key = getvariable('project') AND a.person_key <> -1
GROUP BY ALL HAVING team IS NOT NULL OR person IS NOT NULL ORDER BY remaining_days DESC NULLS LAST, team, person
