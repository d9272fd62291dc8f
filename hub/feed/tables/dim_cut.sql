-- Grain: one cut. Cut 0 is what the store knows now, or knew at the moment asked for; the others were taken with `hub
-- cut`.
SELECT 0 AS cut_key, getvariable('as_of_day')::DATE AS as_of, 'now' AS kind, getvariable('now_label') AS label,
    1 AS is_latest
UNION ALL SELECT cut_key, as_of::DATE, kind, label, 0 FROM other_cut
