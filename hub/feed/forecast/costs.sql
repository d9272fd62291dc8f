-- Grain: one project at the moment that the KPIs are pointed at: what it cost, what of its work is left in money.
WITH worked AS (
    SELECT project_key, min(work_date) AS began,
        sum(amount) FILTER (work_date > getvariable('as_of') - 91)::DOUBLE AS late,
        min(work_date) FILTER (work_date > getvariable('as_of') - 91 AND amount IS NOT NULL) AS late_from
    FROM kpi_work GROUP BY 1
), planned AS (
    SELECT project_key, sum((baseline_amount * (1 - earned_share))::DECIMAL(38, 12)) FILTER (is_open)::DOUBLE AS amount,
        count(*) FILTER (category = 'done' AND baseline_amount > 0) AS done
    FROM kpi_task WHERE in_baseline GROUP BY 1
)
SELECT d.project_key, v.consumed::DOUBLE AS spent,
    coalesce(v.landing_at_least - v.consumed - coalesce(l.amount_known, 0), 0)::DOUBLE AS to_come,
    CASE WHEN e.coverage >= 0.5 AND e.bac > 0 THEN p.amount WHEN l.amount_missing = 0 THEN l.amount_known END::DOUBLE
        AS left,
    CASE WHEN e.coverage >= 0.5 AND e.ev > 0 THEN e.ac / e.ev END::DOUBLE AS ratio,
    coalesce(p.done, 0)::BIGINT AS done, v.budget::DOUBLE AS budget, coalesce(w.late, 0) AS late,
    date_diff('day', DATE '1970-01-01', w.late_from)::DOUBLE AS late_from,
    date_diff('day', DATE '1970-01-01', w.began)::DOUBLE AS began
FROM dim_project d JOIN landing_then v USING (project_key) JOIN earned_then e USING (project_key)
    LEFT JOIN planned p USING (project_key) LEFT JOIN kpi_left l USING (project_key)
    LEFT JOIN worked w USING (project_key)
WHERE d.project_key <> -1 ORDER BY d.project_key
