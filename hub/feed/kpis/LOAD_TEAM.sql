-- Taux de charge équipe | Team load
-- scope: team
-- period: week_start
-- measures: load ratio = allocated_h / available_h, people count, allocated_h hours, available_h hours
-- headline: load
-- receipt: capacity
-- version: 2
-- definition: Σ allocated / Σ available, never the mean of ratios. What is planned for several days is shared over the
--   working days among them.
-- edge cases: a projection shows a team once the month is over, where the sums it shows hold all of its load.
SELECT p.team, c.week_start, sum(c.allocated_s)::DOUBLE / nullif(sum(c.available_s), 0) AS load, count(*) AS people,
    sum(c.allocated_s) / 3600.0 AS allocated_h, sum(c.available_s) / 3600.0 AS available_h
FROM kpi_week c JOIN dim_person p USING (person_key) GROUP BY ALL ORDER BY ALL
