-- Grain: one risk, issue, action or decision at one cut.
SELECT 0 AS cut_key, r.id AS item_id, coalesce(c.project_key, -1) AS project_key, r.kind, r.title, r.state,
    coalesce(a.display_name, a.login) AS owner_label, r.opened_on::DATE AS opened_date, r.closed_on::DATE AS closed_date,
    r.probability, r.impact,
    CASE WHEN coalesce(r.currency, getvariable('currency')) = getvariable('currency') THEN r.exposure_minor / 100.0 END AS exposure_amount,
    r.due_on::DATE AS due_date
FROM register_item r LEFT JOIN project_code c ON c.code = r.project_code LEFT JOIN account a ON a.id = r.owner_id WHERE r.counted
