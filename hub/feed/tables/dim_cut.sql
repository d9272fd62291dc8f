-- Grain: one cut. Cut 0 is what the store knows now, or knew at the moment asked for; the others were taken with `hub
-- cut`.
WITH found AS (
    SELECT 0 AS cut_key, getvariable('as_of_day')::DATE AS as_of, 'now' AS kind, getvariable('now_label') AS label,
        1 AS is_latest
    UNION ALL SELECT cut_key, as_of::DATE, kind, label, 0 FROM other_cut
), placed AS (SELECT *, row_number() OVER (ORDER BY as_of, cut_key = 0, cut_key) AS ordinal FROM found)
SELECT *, coalesce(
    CASE WHEN kind = 'now'
        THEN (SELECT max(b.ordinal) FROM placed b WHERE b.kind = 'copil' AND b.ordinal < p.ordinal) END,
    (SELECT max(b.ordinal) FROM placed b WHERE b.ordinal < p.ordinal AND (p.kind = 'now' OR b.kind = p.kind))
) AS previous_ordinal
FROM placed p
