-- Grain: one open line of the register at the cut that is no decision, the one with most at stake first.
SELECT p.code AS code, r.kind AS kind, r.title AS title, r.probability AS probability, r.impact AS impact,
    r.exposure_amount AS exposure_amount, r.opened_date AS opened_date, r.due_date AS due_date
FROM feed.fact_register r JOIN feed.dim_project p ON p.project_key = r.project_key
WHERE r.cut_key = ${cut:sqlstring} AND r.state = 'open' AND r.kind <> 'decision'
    AND r.project_key::text IN (${project:sqlstring})
ORDER BY array_position(ARRAY['risk', 'issue', 'action'], r.kind), r.probability * r.exposure_amount DESC NULLS LAST,
    r.probability * r.impact DESC NULLS LAST, r.due_date NULLS LAST, r.item_id
