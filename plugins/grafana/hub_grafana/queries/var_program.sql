-- Grain: one program; projects of none are under a dash.
SELECT DISTINCT coalesce(program, '–') AS program FROM feed.dim_project ORDER BY 1
