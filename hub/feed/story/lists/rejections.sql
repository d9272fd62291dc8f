-- Grain: one thing that could not be taken, what weighs most first.
SELECT s.name AS source, r.project_key, r.record, r.place, r.field, r.value, r.reason, r.hours, r.amount,
    r.first_seen_date, r.is_accepted, count(*) OVER () AS n
FROM fact_rejection r JOIN dim_source s USING (source_key)
ORDER BY r.is_accepted, r.amount DESC NULLS LAST, r.hours DESC NULLS LAST, r.rejection_key
LIMIT getvariable('most') OFFSET getvariable('skip')
