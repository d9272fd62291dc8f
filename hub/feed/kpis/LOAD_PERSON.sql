-- Taux de charge par personne | Load per person
-- scope: person
-- period: week_start
-- measures: allocated_h hours, available_h hours, load share = allocated_h / available_h, overloaded flag
-- receipt: capacity
-- version: 2
-- definition: allocated / (capacity − absence), in hours of the person's calendar. What is planned for several days is
--   shared over the working days among them.
-- edge cases: nothing available and something allocated gives NULL and overloaded; availability is never below 0.
SELECT c.person_key, p.person_label, p.team, c.week_start, c.allocated_s / 3600.0 AS allocated_h,
    c.available_s / 3600.0 AS available_h,
    c.allocated_s::DOUBLE / nullif(c.available_s, 0) AS load, (c.allocated_s > c.available_s)::INTEGER AS overloaded
FROM kpi_week c JOIN dim_person p USING (person_key) ORDER BY week_start, person_label
