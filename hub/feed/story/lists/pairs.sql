-- Grain: one pair of cuts between which the feed tells what moved.
SELECT DISTINCT c.label AS cut, v.label AS vs FROM fact_move m JOIN dim_cut c ON c.cut_key = m.cut_key
    JOIN dim_cut v ON v.cut_key = m.vs_cut_key ORDER BY ALL
