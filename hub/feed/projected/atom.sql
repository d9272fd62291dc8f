-- Grain: what one person has at the finest that is ever summed: hours of a day by project, planned work and capacity
-- of a week.
-- m1 is seconds (of the capacity: net of absence), m2 days (of the capacity: absence), m3 money, m4 seconds of the
-- person's own calendar.
CREATE TABLE atom AS
WITH logged AS (
    SELECT date_trunc('week', work_date)::DATE AS week_start, strftime(work_date, '%Y-%m') AS year_month, person_key,
        sum(days) AS days FROM feed.fact_worklog
    WHERE category <> 'absence' AND approval <> 'rejected' GROUP BY ALL
), planned AS (
    SELECT week_start, year_month, person_key, sum(planned_s) AS seconds FROM feed.fact_allocation_week GROUP BY ALL
), found AS (
    SELECT 'worklog' AS kind, w.project_key, strftime(w.work_date, '%Y-%m') AS month, w.category,
        w.approval IS NOT DISTINCT FROM 'rejected' AS rejected, p.team,
        greatest(date_trunc('week', w.work_date), date_trunc('month', w.work_date))::DATE AS week,
        w.source_key, w.is_billable, w.approval, w.sealed_month,
        CASE WHEN w.task_key = -1 OR k.task_key IS NULL THEN 'unassigned' ELSE coalesce(k.nature,
            'unknown') END AS nature,
        w.person_key, w.work_date AS day, sum(w.seconds)::BIGINT AS m1, sum(w.days) AS m2,
            sum(w.amount)::DECIMAL(18,2) AS m3,
        sum(CASE WHEN w.category <> 'absence' AND w.approval <> 'rejected'
            THEN w.days * c.logged_s / nullif(l.days, 0) END) AS m4
    FROM feed.fact_worklog w LEFT JOIN feed.dim_person p USING (person_key) LEFT JOIN feed.dim_task k USING (task_key)
        LEFT JOIN logged l ON l.person_key = w.person_key AND l.week_start = date_trunc('week', w.work_date)
            AND l.year_month = strftime(w.work_date, '%Y-%m')
        LEFT JOIN feed.fact_capacity_week c ON c.person_key = w.person_key AND c.week_start = l.week_start
            AND c.year_month = l.year_month
    GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'plan' AS kind, f.project_key, f.year_month AS month, '' AS category, false AS rejected, p.team,
        greatest(f.week_start, (f.year_month || '-01')::DATE) AS week, -1 AS source_key, '' AS approval, '' AS nature,
        f.person_key, greatest(f.week_start, (f.year_month || '-01')::DATE) AS day,
        f.planned_s AS m1, f.planned_s * c.allocated_s / nullif(q.seconds, 0) AS m4
    FROM feed.fact_allocation_week f LEFT JOIN feed.dim_person p USING (person_key)
        LEFT JOIN planned q USING (week_start, year_month, person_key)
        LEFT JOIN feed.fact_capacity_week c USING (week_start, year_month, person_key)
    WHERE f.planned_s <> 0
    UNION ALL BY NAME
    SELECT 'capacity' AS kind, -1 AS project_key, c.year_month AS month, '' AS category, false AS rejected, p.team,
        greatest(c.week_start, (c.year_month || '-01')::DATE) AS week, -1 AS source_key, '' AS approval, '' AS nature,
        c.person_key, greatest(c.week_start, (c.year_month || '-01')::DATE) AS day, c.capacity_s - c.absence_s AS m1,
        c.absence_s AS m2
    FROM feed.fact_capacity_week c LEFT JOIN feed.dim_person p USING (person_key)
        WHERE c.capacity_s <> 0 OR c.absence_s <> 0
)
SELECT *, md5(concat_ws('|', kind, project_key, month, category, rejected, coalesce(team, '-'), week, source_key,
    coalesce(is_billable, -1), approval, coalesce(sealed_month, '-'), nature, person_key, day)) AS id FROM found
