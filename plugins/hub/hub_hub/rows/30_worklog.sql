-- a line bears the tool's own id; a sum, or a correction of a sealed month, says no line of the tool
SELECT CASE WHEN f.grain = 'day' AND starts_with(f.worklog_id, t.tool || ':') THEN own(f.worklog_id)
        ELSE own(t.tool || ':sum/' || f.worklog_id) END AS id,
    own(k.task_id) AS task_id, h.id AS container_id, person(f.person_key) AS account_id, f.work_date AS day, f.seconds,
    f.category, f.is_billable = 1 AS billable, coalesce(f.approval, 'unknown') AS approval,
    stamp(f.updated_at) AS updated_at
FROM hours f JOIN tool t USING (source_key)
    JOIN home h ON h.project_key = f.project_key AND h.source_key = f.source_key AND h.long = f.long
    LEFT JOIN work k ON k.task_key = f.task_key
