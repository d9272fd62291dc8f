-- Grain: one row: how many of the projects have which colour, computed, else declared.
SELECT count(*) FILTER (WHERE coalesce(computed, declared) = 'red') AS n_red,
    count(*) FILTER (WHERE coalesce(computed, declared) = 'amber') AS n_amber,
    count(*) FILTER (WHERE coalesce(computed, declared) = 'green') AS n_green,
    coalesce(sum(is_contradicted), 0)::bigint AS n_contradicted
FROM feed.fact_weather
WHERE cut_key = ${cut:sqlstring} AND project_key <> -1 AND project_key::text IN (${project:sqlstring})
