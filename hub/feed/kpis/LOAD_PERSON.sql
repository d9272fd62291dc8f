-- Taux de charge par personne | Load per person
-- scope: person
-- period: week_start
-- measures: allocated_h hours, available_h hours, load ratio = allocated_h / available_h, overloaded flag
-- receipt: capacity
-- definition: allocated / (capacity − absence), in hours of the person's calendar.
-- edge cases: nothing available and something allocated gives NULL and overloaded; availability is never below 0.
SELECT c.person_key, p.person_label, p.team, c.week_start, c.allocated_s / 3600.0 AS allocated_h, greatest(c.capacity_s - c.absence_s, 0) / 3600.0 AS available_h,
    c.allocated_s::DOUBLE / nullif(greatest(c.capacity_s - c.absence_s, 0), 0) AS load, (c.allocated_s > greatest(c.capacity_s - c.absence_s, 0))::INTEGER AS overloaded
FROM fact_capacity_week c JOIN dim_person p USING (person_key) ORDER BY week_start, person_label
