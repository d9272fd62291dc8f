-- Grain: one team and week of load, from four weeks before the day to 26 after. At a level of sums a week without
-- work beside weeks that are not shown would look free: it is not told.
SELECT scope_label AS team, period_start AS week_start, max(value) FILTER (measure = 'allocated_h') AS allocated_h,
    max(value) FILTER (measure = 'available_h') AS available_h
FROM fact_kpi
WHERE cut_key = getvariable('cut') AND kpi = 'LOAD_TEAM' AND scope_kind = 'team' AND grain = 'week'
    AND period_start BETWEEN getvariable('as_of')::DATE - 28 AND getvariable('as_of')::DATE + 182
GROUP BY ALL HAVING available_h IS NOT NULL AND (getvariable('persons') OR allocated_h > 0) ORDER BY ALL
