-- Grain: one threshold of one KPI. '*' is every project.
SELECT kpi, measure, scope_id AS scope_code, valid_from::DATE AS valid_from, any_value(goal) AS goal,
    any_value(amber) AS amber, any_value(red) AS red,
    any_value(direction) AS direction, any_value(in_weather)::BIGINT AS is_in_weather
FROM target WHERE counted GROUP BY ALL
