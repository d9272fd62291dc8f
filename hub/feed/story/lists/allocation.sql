-- Grain: one team, week and project of the workload plan as it is now, from four weeks before the day to 26 after.
SELECT p.team, a.week_start, a.project_key, sum(a.planned_s) / 3600.0 AS planned_h
FROM fact_allocation_week a JOIN dim_person p USING (person_key)
WHERE a.grain = 'week' AND p.team IS NOT NULL AND a.planned_s > 0
    AND a.week_start BETWEEN getvariable('as_of')::DATE - 28 AND getvariable('as_of')::DATE + 182
GROUP BY ALL ORDER BY ALL
