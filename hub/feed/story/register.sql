-- Grain: one open line of the register at the cut: decisions by their date, then the rest by what is at stake.
SELECT project_key, kind, title, asked_of, opened_date, due_date, probability, impact,
    exposure_amount::DOUBLE AS exposure, probability * exposure_amount::DOUBLE AS expected,
    probability * impact AS score
FROM fact_register
WHERE cut_key = getvariable('cut') AND state = 'open'
ORDER BY CASE WHEN kind = 'decision' THEN due_date END NULLS LAST, expected DESC NULLS LAST, score DESC NULLS LAST,
    due_date NULLS LAST, item_id
