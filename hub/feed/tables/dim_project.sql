-- Grain: one project. Without a configured portfolio containers with one code are one project, with the key -1 - their
-- first container.key. A project that left the portfolio stays as long as a cut speaks of it.
WITH RECURSIVE up AS (
    SELECT code, parent_code, code AS of_code, level, name, 0 AS step FROM project WHERE counted
    UNION ALL SELECT p.code, p.parent_code, up.of_code, p.level, p.name, step + 1
        FROM up JOIN project p ON p.code = up.parent_code AND p.counted
    WHERE step < 20
), now AS (
    SELECT p.key AS project_key, p.id AS project_id, p.code, p.name,
        (SELECT min(u.name) FROM up u WHERE u.of_code = p.code AND u.level = 'program') AS program,
        (SELECT min(u.name) FROM up u WHERE u.of_code = p.code AND u.level = 'portfolio') AS portfolio,
        p.phase, p.state, p.manager_id AS manager, p.customer, p.currency
    FROM project p WHERE p.counted AND p.level IN ('project', 'workstream')
    UNION ALL
    SELECT project_key, arg_min(id, rank), arg_min(code, rank), arg_min(name, rank), NULL, NULL, NULL,
        CASE WHEN bool_and(archived = 1) THEN 'closed' ELSE 'active' END, NULL, NULL, getvariable('currency')
    FROM alone GROUP BY project_key
    UNION ALL SELECT -1, NULL, '?', getvariable('no_project'), NULL, NULL, NULL, NULL, NULL, NULL,
        getvariable('currency')
)
SELECT * FROM now
UNION ALL SELECT * FROM cut_project c WHERE NOT EXISTS (SELECT 1 FROM now n WHERE n.project_key = c.project_key)
