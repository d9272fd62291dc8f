-- Surcharge | Over-allocation
-- scope: team
-- period: week_start
-- measures: people count, overloaded count, above_h hours
-- captions: people Personnes affectées ou disponibles | People allocated or available; overloaded Personnes en
--   surcharge | Overallocated people; above_h Heures au-dessus de la disponibilité | Hours above what is available
-- stocks: people, overloaded
-- headline: overloaded
-- receipt: capacity
-- levels: nominative
-- definition: people to whom more is allocated in a week than they have, and by how many hours. A row without a team
--   is everybody.
-- edge cases: no level of sums shows it: how many are overloaded may single somebody out.
SELECT p.team, c.week_start, count(*) AS people, count(*) FILTER (c.allocated_s > c.available_s) AS overloaded,
    sum(greatest(c.allocated_s - c.available_s, 0)) / 3600.0 AS above_h
FROM kpi_week c JOIN dim_person p USING (person_key)
GROUP BY GROUPING SETS ((p.team, c.week_start), (c.week_start)) HAVING GROUPING(p.team) = 1 OR p.team IS NOT NULL
    ORDER BY c.week_start, p.team NULLS FIRST
