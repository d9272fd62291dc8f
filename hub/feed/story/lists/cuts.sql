-- Grain: one cut, the latest first; now is the first of all.
SELECT cut_key, label, as_of, kind FROM dim_cut ORDER BY cut_key <> 0, ordinal DESC
