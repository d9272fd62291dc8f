-- Grain: one forecast of a project's finish, of now or of a past cut; those of now come with the cost.
SELECT f.project_key, c.label, f.as_of, f.cut_key = 0 AS is_now, f.p50_date AS p50, f.p80_date AS p80,
    f.p95_date AS p95,
    f.target_date AS baseline, f.limit_date AS deadline, f.chance_target AS chance_baseline,
    f.chance_limit AS chance_deadline, m.p80_amount::DOUBLE AS cost_p80, m.chance_target AS chance_budget, f.outcomes,
    f.is_record_thin = 1 AS is_thin
FROM fact_forecast f JOIN dim_cut c USING (cut_key)
    LEFT JOIN fact_forecast m ON m.cut_key = f.cut_key AND m.project_key = f.project_key AND m.topic = 'cost'
WHERE f.topic = 'finish' AND getvariable('cut') = 0 ORDER BY f.project_key, f.as_of, f.cut_key
