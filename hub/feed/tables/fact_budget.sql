-- Grain: project, month, category. One column a kind, so that a SUM is right; other currencies are listed as excluded.
SELECT 0 AS cut_key, b.project_key, b.month AS year_month, b.category, coalesce(b.is_capex, 0) AS is_capex,
    sum(b.amount_minor) FILTER (b.kind = 'baseline') / 100.0 AS baseline_amount,
    sum(b.amount_minor) FILTER (b.kind = 'revised') / 100.0 AS revised_amount,
    sum(b.amount_minor) FILTER (b.kind = 'committed') / 100.0 AS committed_amount,
    sum(b.amount_minor) FILTER (b.kind = 'consumed') / 100.0 AS consumed_amount,
    sum(b.amount_minor) FILTER (b.kind = 'forecast') / 100.0 AS forecast_amount
FROM budget_place b WHERE b.reason IS NULL GROUP BY ALL
