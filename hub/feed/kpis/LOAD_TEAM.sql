-- Taux de charge équipe | Team load
-- scope: team
-- period: week_start
-- measures: load ratio = allocated_h / available_h, people count, allocated_h hours, available_h hours
-- headline: load
-- receipt: capacity
-- definition: Σ allocated / Σ available, never the mean of ratios.
-- edge cases: a projection shows a team once the month is over, where the sums it shows hold all of its load.
SELECT p.team, c.week_start, sum(c.allocated_s)::DOUBLE / nullif(sum(greatest(c.capacity_s - c.absence_s, 0)), 0) AS load, count(*) AS people,
    sum(c.allocated_s) / 3600.0 AS allocated_h, sum(greatest(c.capacity_s - c.absence_s, 0)) / 3600.0 AS available_h
FROM fact_capacity_week c JOIN dim_person p USING (person_key) GROUP BY ALL ORDER BY ALL
