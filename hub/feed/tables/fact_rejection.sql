-- Grain: one thing that a source met and could not be taken, as it lacks now; the figures of every project want it.
-- An amount in another currency is turned at the rate of the cut's month.
SELECT r.id::BIGINT AS rejection_key, s.key AS source_key, coalesce(p.project_key, -1) AS project_key,
    coalesce(r.record, '') AS record, r.place, r.field, coalesce(r.value, '') AS value, r.reason,
    r.seconds / 3600.0 AS hours,
    turned(r.amount_minor, r.currency, x.factor) / 100.0 AS amount,
    left(r.first_seen, 10)::DATE AS first_seen_date, (r.accepted_at IS NOT NULL)::BIGINT AS is_accepted
FROM rejection r JOIN source s ON s.id = r.source_id
    LEFT JOIN home_slot p ON p.container_id = r.container
    LEFT JOIN exchange x ON x.currency = r.currency AND x.month = left(getvariable('as_of_day'), 7)
