-- Grain: one source. Its site is the address of the tool, the same for every hub that reads it. The last success is
-- the end of the last run that was ok, the verdict that of the last run at all.
SELECT s.key AS source_key, s.id AS name, s.kind AS plugin, s.seconds_per_day, s.freshness_max_s,
    s.last_success_at::TIMESTAMPTZ AS last_success_at, s.verdict,
    site_name(s.base_url) AS site
FROM source s
