-- Grain: one of several values of a task: its labels, components and versions, and the lists that fields.csv names.
SELECT DISTINCT t.key AS task_key, field, value FROM (
    SELECT id, 'label' AS field, replace(unnest(string_split(labels, ' ')), chr(160), ' ') AS value FROM task
    UNION ALL SELECT row_id, CASE field WHEN 'components' THEN 'component' ELSE 'version' END,
        unnest(string_split(text, ', ')) FROM custom_value WHERE counted AND field IN ('components', 'fixVersions')
    UNION ALL SELECT id, field, unnest(string_split(coalesce(shown, text, number::VARCHAR, day), ', ')) FROM site_value
        WHERE type = 'list' AND of_table = 'dim_task'
) v JOIN task t ON t.id = v.id WHERE t.counted AND trim(value) <> ''
    AND value NOT IN (SELECT id FROM account)  -- who somebody is, is no value to slice by
