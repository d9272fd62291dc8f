-- Grain: one project that has a phase: the stage it is in now.
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('stage', phase) AS StageId, name AS ProjectName,
    phase AS StageName, phase AS PhaseName
FROM dim_project WHERE phase IS NOT NULL
