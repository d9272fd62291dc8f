-- What bears no id of a tool counts by project, once the rule said which project is whose.
-- Whoever reads a tool before a feed that has the tool too, and what of a project the two bring.
CREATE TABLE rival AS
    SELECT DISTINCT d.source_id, d.prefix, o.source_id AS first_id, o.prefix AS first_prefix, o.direct
    FROM reader d JOIN reader o ON o.site = d.site AND o.turn < d.turn AND o.source_id <> d.source_id
    WHERE d.turn >= 1000000000;
-- a project, or where no portfolio has it the code that it bears
CREATE TABLE bears AS
    SELECT c.id, CASE WHEN h.project_key <> -1 THEN h.project_key::VARCHAR ELSE '?' || fold(coalesce(c.code, c.id)) END
        AS project
    FROM container c JOIN home_slot h ON h.container_id = c.id;
CREATE TABLE plan_of AS
    SELECT a.key, a.source_id, a.container_id, b.project, tool_of(a.container_id, a.source_id) AS tool
    FROM allocation a LEFT JOIN bears b ON b.id = coalesce(a.container_id,
        (SELECT t.container_id FROM task t WHERE t.id = a.task_id))
    WHERE a.counted AND a.kind = 'work' AND EXISTS (FROM rival);
-- planned weeks of a feed are sums, which bear their tool where the project has one with effort: they count where no
-- reader before has planned weeks of the tool, or of the project where they bear none or one of a hub above
UPDATE allocation SET presence = 'read by another source', counted = false
    WHERE counted AND key IN (
        SELECT p.key FROM plan_of p JOIN rival r ON r.source_id = p.source_id AND r.prefix = p.tool
            JOIN plan_of x ON x.source_id = r.first_id AND (r.direct OR x.tool = r.first_prefix)
        UNION
        SELECT p.key FROM plan_of p JOIN rival r ON r.source_id = p.source_id AND r.prefix <> p.tool
                AND (p.tool = concat(p.source_id, ':-:') OR starts_with(r.prefix, p.tool)
                    OR r.prefix = concat(p.source_id, ':'))
            JOIN plan_of x ON x.source_id = r.first_id AND x.project = p.project);
-- so are budgets, which bear no tool: they count where no reader before of one of the feed's tools has some of the
-- project
CREATE TABLE money_of AS
    SELECT b.key, b.source_id, coalesce(CASE WHEN n.project_key <> -1 THEN n.project_key::VARCHAR END, c.project,
        '?' || fold(b.project_code)) AS project
    FROM budget_line b LEFT JOIN project_named n ON n.code = b.project_code LEFT JOIN bears c ON c.id = b.project_code
    WHERE b.counted AND EXISTS (FROM rival);
UPDATE budget_line SET presence = 'read by another source', counted = false
    WHERE counted AND key IN (SELECT m.key FROM money_of m JOIN rival r ON r.source_id = m.source_id
        JOIN money_of x ON x.source_id = r.first_id AND x.project = m.project)
