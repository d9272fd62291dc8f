-- which tool or hub it is whose ids begin so: rows of one site that come twice count once
SELECT own(path || '/site/' || site) AS id, own(path) AS row_id, 'pm-hub: site' AS field, site AS text FROM origin
UNION ALL
-- effort and baselines of a tool that another one of its project is the authority for
SELECT id || '/' || text, id, 'pm-hub: leaves out', text FROM (
    SELECT h.id, unnest([CASE WHEN max(w.is_effort_counted) = 0 THEN 'effort' END,
        CASE WHEN max(w.is_baseline_counted) = 0 THEN 'baseline' END]) AS text
    FROM work w JOIN home h ON h.project_key = w.at_project AND h.source_key = w.source_key AND h.long = w.long
    WHERE w.is_leaf = 1 AND w.is_deleted = 0 GROUP BY 1) WHERE text IS NOT NULL
UNION ALL
SELECT own(task_id) || '/' || field || '/' || value, own(task_id), field, value FROM (
    SELECT task_id, 'components' AS field, unnest(str_split(components, ', ')) AS value FROM work
    UNION SELECT task_id, 'fixVersions', unnest(str_split(versions, ', ')) FROM work)
