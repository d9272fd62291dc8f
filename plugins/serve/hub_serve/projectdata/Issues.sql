-- Grain: one issue of the register now; its states have the names that reports of that service filter by.
SELECT pd_guid('project', r.project_key) AS ProjectId, pd_guid('register', r.item_id) AS IssueId,
    p.name AS ProjectName,
    r.title AS Title, CASE r.state WHEN 'open' THEN '(1) Active' ELSE '(3) Closed' END AS Status,
    r.owner_label AS Owner, r.owner_label AS AssignedToResource, r.due_date::TIMESTAMP AS DueDate,
    r.opened_date::TIMESTAMP AS CreatedDate, false AS IsFolder
FROM fact_register r LEFT JOIN dim_project p ON p.project_key = r.project_key
WHERE r.cut_key = 0 AND r.kind = 'issue'
