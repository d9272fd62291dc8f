-- Grain: one limit of a KPI that holds at the cut, for all projects or one.
SELECT measure, scope_code, valid_from, goal, amber, red, direction, is_in_weather FROM dim_target
WHERE kpi = getvariable('kpi') AND valid_from <= getvariable('as_of')::DATE ORDER BY measure, scope_code, valid_from
