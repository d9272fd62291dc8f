-- Grain: one source; 1 where its last run did not take all there is.
SELECT name AS source, CASE WHEN verdict = 'ok' THEN 0 ELSE 1 END AS value FROM feed.dim_source
WHERE source_key <> -1 ORDER BY name
