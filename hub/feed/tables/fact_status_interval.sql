-- Grain: one uninterrupted stay of a task in a status, from the tool's own history. Of changes of one instant the one
-- that another leads to comes after it, whatever the order in which they arrived.
WITH told AS (SELECT DISTINCT task_id FROM task_change WHERE field = 'status' AND counted),
change AS (
    SELECT c.task_id, c.at AS moment, c.from_value, c.to_value, c.key,
        coalesce(list_contains(list(c.to_value) OVER one_instant, c.from_value), false) AS follows,
        coalesce(list_contains(list(c.from_value) OVER one_instant, c.to_value), false) AS leads
    FROM task_change c WHERE c.field = 'status' AND c.counted WINDOW one_instant AS (PARTITION BY c.task_id, c.at)
), step AS (
    SELECT task_id, moment::TIMESTAMPTZ AS entered_at, to_value AS raw,
        row_number() OVER (PARTITION BY task_id ORDER BY moment, follows, NOT leads, key) AS place, from_value
    FROM change
), stay AS (
    SELECT task_id, entered_at, raw, place FROM step
    UNION ALL SELECT s.task_id, t.created_at::TIMESTAMPTZ, s.from_value, 0 FROM step s JOIN task t ON t.id = s.task_id
        WHERE s.place = 1 AND t.created_at IS NOT NULL AND t.created_at::TIMESTAMPTZ <= s.entered_at
    UNION ALL SELECT t.id, t.created_at::TIMESTAMPTZ, t.status_raw, 0 FROM task t
        WHERE t.status_raw IS NOT NULL AND t.created_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM told WHERE told.task_id = t.id)
), spell AS (
    SELECT s.*, row_number() OVER w AS seq, lead(entered_at) OVER w AS left_at FROM stay s
        WINDOW w AS (PARTITION BY task_id ORDER BY entered_at, place)
)
SELECT t.key AS task_key, s.seq, coalesce(p.project_key, -1) AS project_key,
    CASE WHEN s.left_at IS NULL AND lower(s.raw) = lower(t.status_raw) THEN k.status_key
        ELSE CASE coalesce(narrow.category, wide.category, known.category)
            WHEN 'todo' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'done' THEN 3 WHEN 'cancelled' THEN 4
                ELSE -1 END END AS status_key,
    s.raw AS status_raw, s.entered_at, s.left_at
FROM spell s JOIN task t ON t.id = s.task_id AND t.counted JOIN task_status k ON k.task_id = t.id
    LEFT JOIN task_place p ON p.task_id = t.id
    LEFT JOIN status_rule narrow ON narrow.source = t.source_id AND narrow.container_id = t.container_id
        AND narrow.raw = lower(s.raw)
    LEFT JOIN status_rule wide ON wide.source = t.source_id AND wide.container_id IS NULL AND wide.raw = lower(s.raw)
    LEFT JOIN status_known known ON known.source_id = t.source_id AND known.raw = lower(s.raw)
