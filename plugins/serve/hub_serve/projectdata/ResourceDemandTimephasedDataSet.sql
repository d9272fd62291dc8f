-- Grain: one resource, a project and a working day: what is planned for its week (or month) in equal parts.
WITH part AS (
    SELECT a.person_key, a.project_key, a.planned_s, greatest(a.week_start, (a.year_month || '-01')::DATE) AS first,
        least(CASE a.grain WHEN 'month' THEN last_day(a.week_start) ELSE a.week_start + 6 END,
            last_day((a.year_month || '-01')::DATE)) AS last
    FROM fact_allocation_week a WHERE a.planned_s <> 0
), day AS (
    SELECT p.*, coalesce(d.date, p.first) AS day,
        count(*) OVER (PARTITION BY p.person_key, p.project_key, p.first, p.last) AS days
    FROM part p LEFT JOIN pd_workday d ON d.date BETWEEN p.first AND p.last
)
SELECT pd_guid('project', d.project_key) AS ProjectId, pd_guid('resource', d.person_key) AS ResourceId,
    d.day::TIMESTAMP AS TimeByDay, any_value(p.name) AS ProjectName, any_value(r.person_label) AS ResourceName,
    pd_work(sum(d.planned_s / d.days)) AS ResourceDemand
FROM day d LEFT JOIN dim_project p ON p.project_key = d.project_key
    LEFT JOIN dim_person r ON r.person_key = d.person_key
GROUP BY d.project_key, d.person_key, d.day
