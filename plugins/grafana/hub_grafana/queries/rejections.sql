-- Grain: one thing that a source met, could not be taken, and nobody accepted: what the figures lack now.
SELECT s.name AS source, p.code AS code, r.record AS record, r.place AS place, r.field AS field, r.value AS rejected,
    r.reason AS rejection, r.hours AS hours, r.amount AS amount, r.first_seen_date AS first_seen_date
FROM feed.fact_rejection r
    JOIN feed.dim_source s ON s.source_key = r.source_key
    JOIN feed.dim_project p ON p.project_key = r.project_key
WHERE r.is_accepted = 0 AND r.project_key::text IN (${project:sqlstring})
ORDER BY r.first_seen_date, r.rejection_key
