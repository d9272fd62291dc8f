-- Grain: one axis on which the committee said something of a project at the cut.
SELECT axis, rag, trend, comment FROM fact_assessment
WHERE project_key = getvariable('project') AND cut_key = getvariable('cut')
ORDER BY lower(axis) <> 'overall', axis
