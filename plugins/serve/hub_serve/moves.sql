-- Grain: one thing that moved at a cut since the committee before it.
SELECT m.cut_key, m.project_key, m.topic, m.item_id, m.cause, m.item, m.measure, m.unit, m.before_value, m.after_value,
    m.before_date, m.after_date, m.delta
FROM fact_move m WHERE list_contains(?::BIGINT[], m.cut_key)
ORDER BY m.topic, m.project_key, m.item_id, m.cause, m.measure
