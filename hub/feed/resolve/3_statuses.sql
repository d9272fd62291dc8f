-- What a status means: facts of the tool, the container's map, the source's map, the tool's own category, percent and
-- dates.
CREATE TABLE status_rule AS
    SELECT s.source, lower(s.status_raw) AS raw, c.container_id, min(s.category) AS category
    FROM status_map s LEFT JOIN container_name c ON s.container_id <> '*' AND c.source_id = s.source
        AND s.container_id IN (c.name, c.short)
    WHERE s.counted AND (s.container_id = '*' OR c.container_id IS NOT NULL) GROUP BY ALL;
CREATE TABLE task_status AS
    WITH said AS (
        SELECT t.id AS task_id, t.status_native, t.status_raw, t.percent, t.actual_start_on, t.actual_finish_on,
            pr.category AS narrow, sr.category AS wide,
            lower(t.resolution_raw) IN ('won''t do', 'won''t fix', 'wontfix', 'duplicate', 'cannot reproduce',
                'not_planned', 'not planned',
                'declined', 'rejected', 'invalid', 'abandoned', 'canceled', 'cancelled', 'ne sera pas fait',
                'ne sera pas corrigé', 'doublon',
                'non reproductible', 'abandonné', 'annulé', 'rejeté') AS given_up
        FROM task t
            LEFT JOIN status_rule pr ON pr.source = t.source_id AND pr.container_id = t.container_id
                AND pr.raw = lower(t.status_raw)
            LEFT JOIN status_rule sr ON sr.source = t.source_id AND sr.container_id IS NULL
                AND sr.raw = lower(t.status_raw)
    )
    SELECT task_id, status_raw, CASE
            WHEN status_native = 'cancelled' AND coalesce(narrow, wide) IS NULL THEN 'cancelled'
            WHEN percent >= 100 OR actual_finish_on IS NOT NULL THEN 'done'
            WHEN coalesce(narrow, wide) IS NOT NULL THEN coalesce(narrow, wide)
            WHEN status_native = 'done' AND coalesce(given_up, false) THEN 'cancelled'
            WHEN status_native IS NOT NULL THEN status_native
            WHEN percent > 0 OR actual_start_on IS NOT NULL THEN 'in_progress'
            WHEN percent = 0 AND status_raw IS NULL THEN 'todo' END AS category
    FROM said;
ALTER TABLE task_status ADD COLUMN status_key BIGINT;
UPDATE task_status SET status_key = CASE category WHEN 'todo' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'done' THEN 3
    WHEN 'cancelled' THEN 4 ELSE -1 END;
-- what a status seen in the history of a task means: its map, else what tasks that stand in it now are
CREATE TABLE status_known AS
    SELECT source_id, raw, first(category ORDER BY n DESC, category) AS category FROM (
        SELECT t.source_id, lower(t.status_raw) AS raw, t.status_native AS category, count(*) AS n
        FROM task t WHERE t.status_raw IS NOT NULL AND t.status_native IS NOT NULL GROUP BY ALL) GROUP BY ALL;
CREATE TABLE type_known AS
    SELECT source_id, raw, first(nature ORDER BY n DESC, nature) AS nature FROM (
        SELECT source_id, lower(type_raw) AS raw, nature, count(*) AS n FROM task WHERE type_raw IS NOT NULL
            GROUP BY ALL) GROUP BY ALL;
