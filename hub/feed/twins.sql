-- What two sources bring of one tool counts once. A source that reads the tool itself comes before a hub that another
-- hub's feed is read from, and that one before a hub above it; of several alike the one that was there first. Whatever
-- it says of a row holds, also that it was deleted. A row of a hub's feed is "<source>:<tool>:<its own id there>", and
-- so on for hubs above hubs: which tool, and which hub, begins an id is a value of the source. A hub is a site too: it
-- may come by another hub as well.
CREATE TABLE site AS
    SELECT s.id AS source_id, s.id || ':' AS prefix, unnest([site_name(s.base_url), 'source ' || s.id]) AS site, s.key
    FROM source s
    UNION ALL
    -- what an older hub kept says it of each container
    SELECT DISTINCT s.id, rtrim(regexp_replace(v.row_id, ':project/.*$', ''), ':') || ':', v.text, s.key
    FROM custom_value v JOIN source s ON s.id = v.source_id WHERE v.field = 'pm-hub: site' AND v.counted;
-- of a site that several sources read: how many hubs lie between is the same for a tool and for the hub that reads it
CREATE TABLE reader AS
    WITH far AS (
        SELECT *, starts_with(site, 'hub:') AS is_hub,
            len(string_split(prefix, ':')) - 2 + starts_with(site, 'hub:')::INT AS hubs
        FROM site WHERE site IS NOT NULL
    )
    SELECT source_id, prefix, site, hubs * 1000000000 + key AS turn, is_hub, hubs = is_hub::INT AS direct FROM far
    WHERE site IN (SELECT site FROM far GROUP BY site HAVING count(DISTINCT source_id) > 1 AND max(hubs) > 0);
CREATE MACRO tool_of(id, source_id) AS
    concat(source_id, ':') || split_part(substr(id, length(source_id) + 2), ':', 1) || ':';
CREATE TABLE brought AS
    WITH row AS (
        SELECT 'task' AS what, id, source_id, presence, code FROM task WHERE EXISTS (FROM reader)
        UNION ALL SELECT 'worklog', id, source_id, presence, task_id FROM worklog WHERE EXISTS (FROM reader)
        UNION ALL SELECT 'register_item', id, source_id, presence, NULL FROM register_item WHERE EXISTS (FROM reader)
        UNION ALL SELECT 'checklist_item', id, source_id, presence, NULL FROM checklist_item WHERE EXISTS (FROM reader)
    ), read AS (
        -- a line of several days is a line a day in a feed, and one of a sealed month bears the month
        SELECT r.what, r.id, r.presence, d.turn, d.site, r.code,
            regexp_replace(substr(r.id, length(d.prefix) + 1), '@\d{4}-\d\d(-\d\d)?$', '') AS native,
            -- of what a hub reads, each tool for itself
            CASE WHEN d.is_hub THEN split_part(substr(r.id, length(d.prefix) + 1), ':', 1) ELSE '' END AS tool
        FROM row r JOIN reader d ON d.source_id = r.source_id AND starts_with(r.id, d.prefix)
    ), named AS (
        -- below lines a feed says what people call a task, and not its id
        SELECT site, tool, code, arg_min(native, turn) AS native FROM read
        WHERE what = 'task' AND code IS NOT NULL AND NOT regexp_matches(native, '^([^:/]+:)*code/') GROUP BY ALL
    ), known AS (
        SELECT r.* REPLACE (CASE WHEN r.what = 'task' AND regexp_matches(r.native, '^([^:/]+:)*code/')
            THEN coalesce(n.native, r.native) ELSE r.native END AS native)
        FROM read r LEFT JOIN named n ON n.site = r.site AND n.tool = r.tool AND n.code = r.code
    ), alike AS (
        SELECT *, min(turn) FILTER (presence <> 'outside') OVER same AS first_turn,
            what = 'worklog' AND regexp_matches(native, '^([^:/]+:)*sum/([0-9a-f]{32}|variance:\d+)$') AS is_sum
        FROM known WINDOW same AS (PARTITION BY what, site, native)
    ), lines AS (
        SELECT what, site, tool, turn, bool_or(NOT is_sum) AS has_lines FROM alike GROUP BY ALL
    )
    SELECT what, id, turn, site, native, is_sum, first_turn,
        CASE
            -- a correction of a sealed month counts where its task does
            WHEN is_sum AND native LIKE '%sum/variance:%' AND EXISTS (SELECT 1 FROM alike t
                WHERE t.what = 'task' AND t.id = a.code AND t.site = a.site) THEN (SELECT bool_or(t.turn > t.first_turn)
                    FROM alike t WHERE t.what = 'task' AND t.id = a.code AND t.site = a.site)
            -- a sum says no row: it counts where nobody before it reads rows of the tool
            WHEN is_sum THEN EXISTS (SELECT 1 FROM lines o WHERE o.what = a.what AND o.site = a.site
                AND o.turn <> a.turn AND (o.tool = a.tool OR starts_with(a.tool, 'sum/'))
                AND (o.turn < a.turn OR o.has_lines))
            ELSE turn > first_turn END AS again
    FROM alike a;
CREATE TABLE twin AS
    SELECT b.what, b.id, arg_min(f.id, f.turn) AS first_id FROM brought b
        LEFT JOIN brought f ON f.what = b.what AND f.site = b.site AND f.native = b.native AND f.turn = b.first_turn
            AND b.what = 'task' AND f.id NOT IN (SELECT id FROM brought WHERE what = 'task' AND again)
    WHERE b.again GROUP BY ALL;
UPDATE task SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'task');
UPDATE worklog SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'worklog');
UPDATE register_item SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'register_item');
UPDATE checklist_item SET presence = 'read by another source', counted = false
    WHERE counted AND id IN (SELECT id FROM twin WHERE what = 'checklist_item');
-- what is of a task that counts elsewhere is of the one that counts
UPDATE worklog SET task_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = worklog.task_id
    AND t.first_id IS NOT NULL;
UPDATE allocation SET task_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = allocation.task_id
    AND t.first_id IS NOT NULL;
UPDATE task SET parent_id = t.first_id FROM twin t WHERE t.what = 'task' AND t.id = task.parent_id
    AND t.first_id IS NOT NULL;
-- and so is what only the reader of a twin knows of it: of several readers the nearest one's word
CREATE TABLE hangs AS
    SELECT 'sla_cycle' AS what, task_id AS id FROM sla_cycle WHERE counted AND EXISTS (FROM twin)
    UNION SELECT 'baseline', task_id FROM baseline WHERE counted AND EXISTS (FROM twin)
    UNION SELECT 'assignment', task_id FROM assignment WHERE counted AND EXISTS (FROM twin);
CREATE TABLE heir AS
    SELECT w.what, t.id, t.first_id FROM hangs w JOIN twin t ON t.what = 'task' AND t.id = w.id
        JOIN brought b ON b.what = 'task' AND b.id = t.id
    WHERE t.first_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM hangs o WHERE o.what = w.what AND o.id = t.first_id)
    QUALIFY row_number() OVER (PARTITION BY w.what, t.first_id ORDER BY b.turn, t.id) = 1;
UPDATE sla_cycle SET task_id = h.first_id FROM heir h WHERE h.what = 'sla_cycle' AND h.id = sla_cycle.task_id;
UPDATE baseline SET task_id = h.first_id FROM heir h WHERE h.what = 'baseline' AND h.id = baseline.task_id;
UPDATE assignment SET task_id = h.first_id FROM heir h WHERE h.what = 'assignment' AND h.id = assignment.task_id
