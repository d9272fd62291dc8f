-- the tool that a container stands for: rows of one site that come twice count once
SELECT id || '/site' AS id, id AS row_id, 'pm-hub: site' AS field, site AS text FROM home WHERE site IS NOT NULL
UNION ALL
SELECT own(task_id) || '/' || field || '/' || value, own(task_id), field, value FROM (
    SELECT task_id, 'components' AS field, unnest(str_split(components, ', ')) AS value FROM work
    UNION SELECT task_id, 'fixVersions', unnest(str_split(versions, ', ')) FROM work)
