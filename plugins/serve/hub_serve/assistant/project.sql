-- Grain: the project with this code, else with this name.
SELECT project_key FROM dim_project
WHERE project_key <> -1 AND (lower(code) = lower(?) OR lower(name) = lower(?))
ORDER BY lower(code) = lower(?) DESC, project_key LIMIT 1
