-- Grain: one cut. Cut 0 is what the store knows now, or knew at the moment asked for.
SELECT 0 AS cut_key, getvariable('as_of_day')::DATE AS as_of, 'now' AS kind, getvariable('now_label') AS label, 1 AS is_latest
