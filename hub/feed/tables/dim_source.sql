-- Grain: one source. Its site is the address of the tool, the same for every hub that reads it; of the configuration it
-- is this hub; of another hub it is that one and the tools that it brings, a line "name=site" each. The last success is
-- the end of the last run that was ok, the verdict that of the last run at all.
SELECT s.key AS source_key, s.id AS name, s.kind AS plugin, s.seconds_per_day, s.freshness_max_s,
    s.last_success_at::TIMESTAMPTZ AS last_success_at, s.verdict,
    CASE WHEN s.id = 'config' THEN 'hub:' || getvariable('hub')
        ELSE coalesce(b.sites, site_name(s.base_url)) END AS site
FROM source s LEFT JOIN (
    SELECT source_id, string_agg(line, chr(10) ORDER BY line) AS sites FROM (
        SELECT DISTINCT v.source_id, substr(regexp_replace(v.row_id, ':project/.*$', ''), length(v.source_id) + 2)
            || '=' || CASE WHEN v.text LIKE 'source %' THEN site_name(o.base_url) ELSE v.text END AS line
        FROM custom_value v LEFT JOIN source o ON v.text = 'source ' || o.id
        WHERE v.field = 'pm-hub: site' AND v.counted) GROUP BY 1) b ON b.source_id = s.id
