-- Grain: one source; 1 where its last complete sync is older now than it may be. The configuration has no age.
SELECT name AS source,
    CASE WHEN last_success_at >= now() - make_interval(secs => freshness_max_s) THEN 0 ELSE 1 END AS value
FROM feed.dim_source WHERE plugin <> 'config' AND source_key <> -1 ORDER BY name
