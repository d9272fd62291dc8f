-- Grain: project, month, category. One column a kind, so that a SUM is right; what has no exchange rate is listed as
-- excluded.
SELECT getvariable('cut_key') AS cut_key, project_key, left(day, 7) AS year_month, category,
    coalesce(flag, 0) AS is_capex,
    sum(amount_minor) FILTER (approval = 'baseline') / 100.0 AS baseline_amount,
    sum(amount_minor) FILTER (approval = 'revised') / 100.0 AS revised_amount,
    sum(amount_minor) FILTER (approval = 'committed') / 100.0 AS committed_amount,
    sum(amount_minor) FILTER (approval = 'consumed') / 100.0 AS consumed_amount,
    sum(amount_minor) FILTER (approval = 'forecast') / 100.0 AS forecast_amount
FROM line WHERE kind = 'budget' GROUP BY ALL
