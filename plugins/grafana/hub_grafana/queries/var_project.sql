-- Grain: one project of the programs that are chosen; what belongs to no project comes last.
SELECT concat_ws(' ', code, name) AS __text, project_key::text AS __value FROM feed.dim_project
WHERE coalesce(program, '–') IN (${program:sqlstring}) ORDER BY project_key = -1, code, name
