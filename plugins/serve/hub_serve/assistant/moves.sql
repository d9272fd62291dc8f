-- Grain: one thing that moved since the committee before, the weightiest of each topic first.
SELECT p.code AS project, m.project_key, m.topic, m.cause, m.item, m.measure, m.unit, m.before_value, m.after_value,
    m.before_date, m.after_date, m.delta
FROM fact_move m JOIN dim_project p ON p.project_key = m.project_key
WHERE m.cut_key = 0 AND m.project_key = coalesce(?, m.project_key)
ORDER BY array_position(['milestone', 'budget', 'effort', 'risk', 'scope'], m.topic), abs(m.delta) DESC NULLS LAST,
    p.code, m.item, m.measure, m.cause
