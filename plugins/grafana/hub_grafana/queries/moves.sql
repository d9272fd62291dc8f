-- Grain: one thing that moved between the committee before and the cut, the weightiest of each topic first.
SELECT p.code AS code, m.topic AS topic, m.item AS item, m.measure AS what, m.cause AS cause,
    m.before_value AS before_value, m.after_value AS after_value, m.before_date AS before_date,
    m.after_date AS after_date, m.delta AS delta
FROM feed.fact_move m JOIN feed.dim_project p ON p.project_key = m.project_key
WHERE m.cut_key = ${cut:sqlstring} AND m.project_key::text IN (${project:sqlstring})
ORDER BY array_position(ARRAY['milestone', 'budget', 'effort', 'risk', 'scope'], m.topic),
    abs(m.delta) DESC NULLS LAST, p.code, m.item, m.measure, m.cause
