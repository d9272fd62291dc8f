-- Which project a task and an hour belong to, once the filters said which tasks they take ("hit").
CREATE TEMP TABLE best_hit AS
    -- the filter with the most tests takes the task; of several claims none is better
    SELECT task_id, min(slot) AS slot, max(terms) AS terms, count(*) AS claims FROM (
        SELECT task_id, slot, terms, rank() OVER (PARTITION BY task_id ORDER BY terms DESC) AS turn FROM hit) ranked
    WHERE turn = 1 GROUP BY task_id;
CREATE TEMP TABLE task_slot AS
    SELECT t.id AS task_id, s.slot, CASE WHEN b.claims > 1 THEN -1 ELSE s.project_key END AS project_key
    FROM task t JOIN home_slot h ON h.container_id = t.container_id LEFT JOIN best_hit b ON b.task_id = t.id
        JOIN slot s ON s.slot = coalesce(b.slot, h.slot);
CREATE TEMP VIEW hour AS
    SELECT 'worklog' AS kind, id, key, source_id, task_id, container_id, seconds, origin, presence FROM worklog
    UNION ALL SELECT 'allocation', id, key, source_id, task_id, container_id, seconds, 'plan', presence FROM allocation;
-- Hours may name a task of another source by its code, as timesheets name the issues of a tracker.
CREATE TEMP TABLE coded AS
    SELECT named, id FROM (
        SELECT o.task_id AS named, t.id,
            row_number() OVER (PARTITION BY o.task_id
                ORDER BY CASE WHEN g.task_id IS NULL THEN 0 ELSE 1 END, t.key DESC) AS turn
        FROM (SELECT DISTINCT h.task_id FROM hour h LEFT JOIN task k ON k.id = h.task_id
                WHERE h.task_id IS NOT NULL AND k.id IS NULL) o
            JOIN (SELECT id, key, source_id || ':' || code AS name FROM task WHERE code IS NOT NULL) t
                ON t.name = o.task_id
            LEFT JOIN task_gone g ON g.task_id = t.id) found
    WHERE turn = 1;
-- An hour stands in its own container, else in that of its task. In the container of its task it goes where the task
-- goes, elsewhere where the container goes. Hours that another tool keeps were worked, whatever becomes of their task.
CREATE TEMP VIEW hour_place AS
    SELECT w.kind, w.id, w.key, w.source_id, w.seconds, w.origin, w.presence, t.id AS task_id, t.key AS task_key,
        coalesce(w.container_id, t.container_id) AS container_id, coalesce(s.slot, h.slot) AS slot,
        coalesce(s.project_key, h.project_key, -1) AS project_key,
        CASE WHEN w.presence IN {left} THEN 'row' WHEN g.cause = 'row' THEN 'task' WHEN g.cause IS NOT NULL THEN g.cause
            WHEN c.presence IN {left} THEN 'container' END AS cause,
        CASE WHEN w.presence IN {left} THEN w.id WHEN g.cause IS NOT NULL THEN g.cause_id
            WHEN c.presence IN {left} THEN c.id END AS cause_id,
        CASE WHEN w.presence IN {left} THEN w.presence WHEN g.cause = 'row' THEN 'task ' || g.presence
            WHEN g.cause IS NOT NULL THEN g.cause || ' ' || g.presence
            WHEN c.presence IN {left} THEN 'container ' || c.presence END AS gone
    FROM hour w LEFT JOIN coded d ON d.named = w.task_id LEFT JOIN task t ON t.id = coalesce(d.id, w.task_id)
        LEFT JOIN container c ON c.id = coalesce(w.container_id, t.container_id)
        LEFT JOIN home_slot h ON h.container_id = c.id
        LEFT JOIN task_slot s ON s.task_id = t.id AND t.container_id = c.id
        LEFT JOIN task_gone g ON g.task_id = t.id AND t.source_id = w.source_id;
