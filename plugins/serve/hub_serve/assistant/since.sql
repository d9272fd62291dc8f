-- Grain: the committee that moves are told from.
SELECT c.label, c.as_of FROM fact_move m JOIN dim_cut c ON c.cut_key = m.vs_cut_key WHERE m.cut_key = 0 LIMIT 1
