-- Taux de charge équipe | Team load
-- scope: team
-- period: week_start
-- measures: load share = allocated_h / available_h, people count, allocated_h hours, available_h hours
-- captions: load Taux de charge | Load; people Personnes au plan de charge | People in the workload plan; allocated_h
--   Heures affectées de la période | Allocated hours of the period; available_h Heures disponibles de la période |
--   Available hours of the period
-- stocks: people
-- headline: load
-- receipt: capacity
-- version: 2
-- definition: Σ allocated / Σ available, never the mean of ratios. What is planned for several days is shared over the
--   working days among them.
-- edge cases: a projection shows a team once the month is over, where the sums it shows hold all of its load.
SELECT p.team, c.week_start, sum(c.allocated_s)::DOUBLE / nullif(sum(c.available_s), 0) AS load, count(*) AS people,
    sum(c.allocated_s) / 3600.0 AS allocated_h, sum(c.available_s) / 3600.0 AS available_h
FROM kpi_week c JOIN dim_person p USING (person_key) GROUP BY ALL ORDER BY ALL
