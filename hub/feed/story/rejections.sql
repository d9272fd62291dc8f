-- Grain: one source and kind of what could not be taken and nobody accepted: how many, and what the figures lack.
SELECT s.name AS source, r.record, r.field, coalesce(r.reason, '') AS reason, count(*) AS n,
    sum(r.hours)::DOUBLE AS hours, sum(r.amount)::DOUBLE AS amount
FROM fact_rejection r JOIN dim_source s USING (source_key)
WHERE getvariable('cut') = 0 AND r.is_accepted = 0
GROUP BY ALL ORDER BY n DESC, hours DESC NULLS LAST, source, r.record, r.field, reason
