-- Fraîcheur | Freshness
-- scope: source
-- measures: age_h moment, fresh flag
-- captions: fresh Source à jour | Source up to date
-- headline: fresh
-- receipt: sources
-- definition: age = moment − last complete sync; fresh up to the source's limit.
-- edge cases: the age stays out of fact_kpi, else a feed of the same data would differ by the second; never synced is
--   stale; a partial run does not refresh.
SELECT source_key, name, (epoch(getvariable('as_of_at')) - epoch(last_success_at)) / 3600.0 AS age_h,
    coalesce((round(epoch(getvariable('as_of_at')) - epoch(last_success_at)) <= freshness_max_s)::INTEGER, 0) AS fresh
FROM dim_source ORDER BY name
