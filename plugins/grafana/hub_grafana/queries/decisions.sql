-- Grain: one open decision of the register at the cut, by its date.
SELECT p.code AS code, r.title AS title, r.asked_of AS asked_of, r.opened_date AS opened_date, r.due_date AS due_date
FROM feed.fact_register r JOIN feed.dim_project p ON p.project_key = r.project_key
WHERE r.cut_key = ${cut:sqlstring} AND r.state = 'open' AND r.kind = 'decision'
    AND r.project_key::text IN (${project:sqlstring})
ORDER BY r.due_date NULLS LAST, p.code, r.item_id
