-- Grain: one cut, the latest first, which is the one that is shown unless another is chosen.
SELECT label AS __text, cut_key::text AS __value FROM feed.dim_cut ORDER BY is_latest DESC, ordinal DESC
