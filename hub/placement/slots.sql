-- Which project a container feeds: what SQLite, DuckDB and PostgreSQL all understand, over the store's tables.
-- A slot is a container seen through one line of project_links.csv, or its own code where no line takes it whole.
-- What left, {left}, counts no more; presence holds downwards, from a container to its tasks and to their hours.
CREATE TEMP TABLE container_name AS
    -- "name" says a container among all, "short" within its source
    SELECT id AS name, substr(id, length(source_id) + 2) AS short, id AS container_id, source_id FROM container
    UNION SELECT source_id || ':' || code, code, id, source_id FROM container WHERE code IS NOT NULL
    UNION SELECT source_id || ':' || name, name, id, source_id FROM container;
CREATE TEMP VIEW account_name AS
    SELECT id AS name, id AS account_id FROM account
    UNION SELECT source_id || ':' || login, id FROM account WHERE login IS NOT NULL
    UNION SELECT source_id || ':' || display_name, id FROM account WHERE display_name IS NOT NULL;
CREATE TEMP TABLE task_gone AS
    -- the row itself, else its container, is the cause
    SELECT t.id AS task_id, CASE WHEN t.presence IN {left} THEN 'row' ELSE 'container' END AS cause,
        CASE WHEN t.presence IN {left} THEN t.id ELSE c.id END AS cause_id,
        CASE WHEN t.presence IN {left} THEN t.presence ELSE c.presence END AS presence
    FROM task t LEFT JOIN container c ON c.id = t.container_id WHERE t.presence IN {left} OR c.presence IN {left};
-- projects that gather containers; of two with one code the first counts
CREATE TEMP TABLE portfolio AS
    SELECT code, fold(code) AS folded, min(key) AS project_key FROM project
    WHERE presence NOT IN {left} AND level IN ('project', 'workstream') GROUP BY code;
-- without a portfolio containers of one code are one project, called as the first plan among them, else the first
CREATE TEMP TABLE alone AS
    SELECT c.id, c.code, c.name, c.archived, CASE WHEN c.kind = 'plan' THEN 0 ELSE 1000000000000 END + c.key AS rank,
        -1 - min(c.key) OVER (PARTITION BY fold(coalesce(c.code, c.id))) AS project_key
    FROM container c
    WHERE c.presence NOT IN {left} AND NOT EXISTS (SELECT 1 FROM project p WHERE p.presence NOT IN {left});
CREATE TEMP TABLE project_code AS
    SELECT code, project_key FROM portfolio
    UNION ALL SELECT code, max(project_key) FROM alone WHERE code IS NOT NULL GROUP BY code;
-- "identity" is what stays of a project when its containers come and go
CREATE TEMP TABLE project_label AS
    SELECT project_key, code AS identity, code AS label FROM portfolio
    UNION ALL
    SELECT project_key, coalesce(code, id), coalesce(code, name) FROM (
        SELECT a.*, row_number() OVER (PARTITION BY project_key ORDER BY rank) AS turn FROM alone a) first_of
    WHERE turn = 1;
CREATE TEMP TABLE slot AS
    WITH link AS (
        SELECT n.container_id, trim(l.filter) AS filter, nullif(l.facets, '') AS facets, l.key AS link_key,
            coalesce(p.project_key, -1) AS project_key,
            row_number() OVER (PARTITION BY n.container_id, trim(l.filter) ORDER BY l.project_code, l.key) AS turn
        FROM project_link l JOIN container_name n ON n.name = l.container_id
            LEFT JOIN portfolio p ON p.code = l.project_code
        WHERE l.presence NOT IN {left}
    ), own AS (
        SELECT c.id AS container_id, p.project_key,
            row_number() OVER (PARTITION BY c.id
                ORDER BY CASE WHEN p.code = c.code THEN 0 ELSE 1 END, p.project_key) AS turn
        FROM container c JOIN portfolio p ON p.folded = fold(c.code)
    ), claim AS (
        SELECT container_id, filter, facets, link_key, project_key FROM link WHERE turn = 1
        UNION ALL
        SELECT c.id, '', NULL, NULL, coalesce(o.project_key, a.project_key, -1)
        FROM container c LEFT JOIN own o ON o.container_id = c.id AND o.turn = 1 LEFT JOIN alone a ON a.id = c.id
        WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.container_id = c.id AND l.filter = '')
    )
    SELECT row_number() OVER (ORDER BY c.key, m.filter) AS slot, m.container_id, m.filter, m.facets, m.link_key,
        CASE WHEN c.presence IN {left} THEN -1 ELSE m.project_key END AS project_key
    FROM claim m JOIN container c ON c.id = m.container_id;
CREATE TEMP VIEW home_slot AS SELECT slot, container_id, project_key FROM slot WHERE filter = '';
-- what a line of a budget or a register may call its project: its code, or the id of a container that feeds it
CREATE TEMP VIEW project_named AS
    SELECT code, project_key FROM project_code
    UNION ALL SELECT container_id, project_key FROM home_slot
        WHERE project_key <> -1 AND container_id NOT IN (SELECT code FROM project_code);
-- filled from the filters of the slots: a task, a slot that takes it, and how many tests its filter has
CREATE TEMP TABLE hit (task_id TEXT, slot BIGINT, terms BIGINT);
