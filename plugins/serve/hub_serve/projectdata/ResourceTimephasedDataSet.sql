-- Grain: one resource and a working day: the capacity of its week (or month) in equal parts, absence off Capacity.
WITH part AS (
    SELECT c.person_key, c.capacity_s, coalesce(c.absence_s, 0) AS absence_s,
        greatest(c.week_start, (c.year_month || '-01')::DATE) AS first,
        least(CASE c.grain WHEN 'month' THEN last_day(c.week_start) ELSE c.week_start + 6 END,
            last_day((c.year_month || '-01')::DATE)) AS last
    FROM fact_capacity_week c
), day AS (
    SELECT p.*, coalesce(d.date, p.first) AS day, count(*) OVER (PARTITION BY p.person_key, p.first, p.last) AS days
    FROM part p LEFT JOIN pd_workday d ON d.date BETWEEN p.first AND p.last
)
SELECT pd_guid('resource', d.person_key) AS ResourceId, d.day::TIMESTAMP AS TimeByDay,
    any_value(r.person_label) AS ResourceName, pd_work(sum(d.capacity_s / d.days)) AS BaseCapacity,
    pd_work(sum((d.capacity_s - d.absence_s) / d.days)) AS Capacity
FROM day d LEFT JOIN dim_person r ON r.person_key = d.person_key
GROUP BY d.person_key, d.day
