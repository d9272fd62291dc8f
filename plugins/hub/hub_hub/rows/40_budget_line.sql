SELECT own('budget/' || c.identity || '/' || b.year_month || '/' || b.category || '/' || b.is_capex || '/' || b.kind)
        AS id, whole(b.project_key) AS project_code, b.year_month AS month, b.kind, b.category,
    b.is_capex = 1 AS is_capex, minor(b.amount) AS amount_minor, getvariable('currency') AS currency
FROM (
    UNPIVOT (SELECT project_key, year_month, category, is_capex, baseline_amount AS baseline, revised_amount AS revised,
        committed_amount AS committed, consumed_amount AS consumed, forecast_amount AS forecast
        FROM fact_budget WHERE cut_key = getvariable('cut'))
    ON baseline, revised, committed, consumed, forecast INTO NAME kind VALUE amount) b JOIN called c USING (project_key)
