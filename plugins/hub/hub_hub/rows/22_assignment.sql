SELECT own(a.assignment_id) AS id, own(w.task_id) AS task_id, person(a.person_key) AS account_id, a.units,
    a.start_date AS start_on, a.finish_date AS finish_on, round(a.planned_days * w.long)::BIGINT AS planned_s,
    round(a.actual_days * w.long)::BIGINT AS actual_s, round(a.remaining_days * w.long)::BIGINT AS remaining_s,
    minor(a.cost_amount) AS cost_minor, minor(a.actual_cost_amount) AS actual_cost_minor,
    minor(a.remaining_cost_amount) AS remaining_cost_minor,
    CASE WHEN coalesce(a.cost_amount, a.actual_cost_amount, a.remaining_cost_amount) IS NOT NULL
        THEN getvariable('currency') END AS currency
FROM fact_assignment a JOIN work w USING (task_key) WHERE a.assignment_id <> w.task_id AND getvariable('cut') = 0
