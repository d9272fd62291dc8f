-- Grain: one risk, issue, action or decision at one cut. An amount in another currency is turned at the rate of the
-- cut's month.
SELECT getvariable('cut_key') AS cut_key, r.id AS item_id, coalesce(c.project_key, -1) AS project_key, r.kind, r.title,
    r.state,
    -- a name that the configuration or another hub's feed says is none of an account
    coalesce(a.display_name, a.login,
        CASE WHEN r.source_id IN (SELECT id FROM source WHERE id = 'config' OR kind = 'hub') THEN r.owner_id END)
        AS owner_label,
    r.opened_on::DATE AS opened_date, r.closed_on::DATE AS closed_date, r.probability, r.impact,
    turned(r.exposure_minor, r.currency, x.factor) / 100.0 AS exposure_amount,
    r.due_on::DATE AS due_date, r.asked_of
FROM register_item r LEFT JOIN project_named c ON c.code = r.project_code LEFT JOIN account a ON a.id = r.owner_id
    LEFT JOIN exchange x ON x.currency = r.currency AND x.month = left(getvariable('as_of_day'), 7)
WHERE r.counted
