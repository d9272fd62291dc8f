SELECT own(item_id) AS id, whole(project_key) AS project_code, kind, title, state, probability, impact,
    minor(exposure_amount) AS exposure_minor,
    CASE WHEN exposure_amount IS NOT NULL THEN getvariable('currency') END AS currency, owner_label AS owner_id,
    opened_date AS opened_on, due_date AS due_on, closed_date AS closed_on, asked_of
FROM fact_register WHERE cut_key = getvariable('cut')
