-- Grain: one source, and how many of the rows that it could not take are not accepted.
SELECT s.name, s.plugin, s.last_success_at, s.freshness_max_s, s.verdict,
    (SELECT count(*) FROM fact_rejection r WHERE r.source_key = s.source_key AND coalesce(r.is_accepted, 0) = 0)
        AS rejected_rows
FROM dim_source s ORDER BY s.name
