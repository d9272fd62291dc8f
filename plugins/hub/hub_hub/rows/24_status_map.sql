-- what a status meant that no task stands in any more
SELECT own('meaning/' || lower(i.status_raw)) AS id, getvariable('source') AS source,
    any_value(i.status_raw) AS status_raw, mode(s.category) AS category
FROM fact_status_interval i JOIN dim_status s USING (status_key)
WHERE i.status_raw IS NOT NULL AND s.category <> 'unknown' AND lower(i.status_raw) NOT IN (
    SELECT lower(o.status_raw) FROM fact_status_interval o WHERE o.left_at IS NULL AND o.status_raw IS NOT NULL)
GROUP BY lower(i.status_raw)
