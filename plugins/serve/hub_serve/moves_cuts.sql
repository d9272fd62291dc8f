-- Grain: one cut, and the committee that its moves are told from, none where the feed tells of none.
SELECT c.cut_key, c.label, c.as_of,
    (SELECT min(m.vs_cut_key) FROM fact_move m WHERE m.cut_key = c.cut_key) AS before
FROM dim_cut c ORDER BY c.ordinal
