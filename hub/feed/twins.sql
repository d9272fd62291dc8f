-- What two sources bring of one tool counts once. A source that reads the tool itself comes before a hub that another
-- hub's feed is read from; of several alike the one that was there first. Whatever it says of a row holds, also that it
-- was deleted. A row of a hub's feed is "<source>:<tool>:<its own id there>", its tool's site a value of the container.
CREATE TABLE site AS
    SELECT s.id AS source_id, s.id || ':' AS prefix, unnest([site_name(s.base_url), 'source ' || s.id]) AS site,
        0 AS rank, s.key FROM source s
    UNION ALL
    SELECT DISTINCT s.id, s.id || ':' || split_part(substr(v.row_id, length(s.id) + 2), ':', 1) || ':', v.text, 1, s.key
    FROM custom_value v JOIN source s ON s.id = v.source_id WHERE v.field = 'pm-hub: site' AND v.counted;
-- of a site that several sources read
CREATE TABLE reader AS
    SELECT source_id, prefix, site, rank * 1000000000 + key AS turn FROM site
    WHERE site IN (SELECT site FROM site WHERE site IS NOT NULL GROUP BY site HAVING count(DISTINCT source_id) > 1
        AND max(rank) = 1);
CREATE MACRO tool_of(id, source_id) AS
    concat(source_id, ':') || split_part(substr(id, length(source_id) + 2), ':', 1) || ':';
CREATE TABLE brought AS
    WITH row AS (
        SELECT 'task' AS what, id, source_id, presence, code FROM task WHERE EXISTS (FROM reader)
        UNION ALL SELECT 'worklog', id, source_id, presence, NULL FROM worklog WHERE EXISTS (FROM reader)
        UNION ALL SELECT 'register_item', id, source_id, presence, NULL FROM register_item WHERE EXISTS (FROM reader)
    ), read AS (
        -- a line of several days is a line a day in a feed, and one of a sealed month bears the month
        SELECT r.what, r.id, r.presence, d.turn, d.site, r.code,
            regexp_replace(substr(r.id, length(d.prefix) + 1), '@\d{4}-\d\d(-\d\d)?$', '') AS native
        FROM row r JOIN reader d ON d.source_id = r.source_id
            AND d.prefix IN (concat(r.source_id, ':'), tool_of(r.id, r.source_id))
    ), named AS (
        -- below lines a feed says what people call a task, and not its id
        SELECT site, code, arg_min(native, turn) AS native FROM read
        WHERE what = 'task' AND code IS NOT NULL AND NOT starts_with(native, 'code/') GROUP BY ALL
    ), known AS (
        SELECT r.* REPLACE (CASE WHEN r.what = 'task' AND starts_with(r.native, 'code/')
            THEN coalesce(n.native, r.native) ELSE r.native END AS native)
        FROM read r LEFT JOIN named n ON n.site = r.site AND n.code = r.code
    ), alike AS (
        SELECT *, min(turn) FILTER (presence <> 'outside') OVER same AS first_turn, native LIKE 'sum/%' AS is_sum
        FROM known WINDOW same AS (PARTITION BY what, site, native)
    )
    SELECT what, id, turn, site, native, is_sum, first_turn,
        -- a sum says no row: it counts where nobody before it reads rows of the tool
        CASE WHEN is_sum THEN EXISTS (SELECT 1 FROM alike o WHERE o.what = a.what AND o.site = a.site
                AND o.turn <> a.turn AND (o.turn < a.turn OR NOT o.is_sum))
            ELSE turn > first_turn END AS again
    FROM alike a;
CREATE TABLE twin AS
    SELECT DISTINCT b.what, b.id, f.id AS first_id FROM brought b
        LEFT JOIN brought f ON f.what = b.what AND f.site = b.site AND f.native = b.native AND f.turn = b.first_turn
            AND b.what = 'task'
    WHERE b.again;
UPDATE task SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'task');
UPDATE worklog SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'worklog');
UPDATE register_item SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'register_item');
-- what is of a task that counts elsewhere is of the one that counts
UPDATE worklog SET task_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = worklog.task_id
    AND t.first_id IS NOT NULL;
UPDATE allocation SET task_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = allocation.task_id
    AND t.first_id IS NOT NULL;
UPDATE task SET parent_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = task.parent_id
    AND t.first_id IS NOT NULL;
-- planned weeks of a feed are sums, which bear their tool where the project has one with effort: they count where no
-- reader before has planned weeks of the tool, or of any tool where they bear none
UPDATE allocation SET presence = 'read by another source', counted = false
    FROM reader d JOIN reader o ON o.site = d.site AND o.turn < d.turn, allocation x
    WHERE allocation.counted AND d.source_id = allocation.source_id AND x.counted AND x.source_id = o.source_id
        AND ((d.prefix = tool_of(allocation.container_id, allocation.source_id)
                AND (o.turn < 1000000000 OR o.prefix = tool_of(x.container_id, x.source_id)))
            OR (tool_of(allocation.container_id, allocation.source_id) = concat(allocation.source_id, ':-:')
                AND o.turn < 1000000000 AND EXISTS (SELECT 1 FROM container c WHERE c.source_id = d.source_id
                    AND starts_with(c.id, d.prefix) AND c.code = (SELECT a.code FROM container a
                        WHERE a.id = allocation.container_id))));
-- so are budgets, which bear no tool: they count where no reader before of one of the feed's tools has some of the
-- project
UPDATE budget_line SET presence = 'read by another source', counted = false
    FROM site s, site o, container c
    WHERE budget_line.counted AND s.rank = 1 AND s.source_id = budget_line.source_id AND o.site = s.site
        AND o.rank * 1000000000 + o.key < 1000000000 + s.key AND c.id = budget_line.project_code
        AND EXISTS (SELECT 1 FROM budget_line d WHERE d.source_id = o.source_id AND d.counted
            AND (d.project_code = c.code
                OR d.project_code IN (SELECT e.id FROM container e WHERE e.code = c.code)))
