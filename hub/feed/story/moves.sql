-- Grain: one thing that moved between the committee before and the cut, the weightiest of each topic first.
SELECT m.project_key, m.topic, m.cause, m.item, m.measure, m.unit, m.before_value, m.after_value, m.before_date,
    m.after_date, m.delta
FROM fact_move m WHERE m.cut_key = getvariable('cut')
ORDER BY list_position(['milestone', 'budget', 'effort', 'risk', 'scope'], m.topic), abs(m.delta) DESC NULLS LAST,
    m.project_key, m.item, m.measure, m.cause
