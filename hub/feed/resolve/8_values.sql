-- The values of the fields that fields.csv names, at what they are of; several things that are one (the containers of a
-- project, the accounts of a person, the days of a line of hours) share them. Somebody's account is shown by name in a
-- field that fields.csv calls personal, and nowhere else.
CREATE TABLE site_value AS
    WITH named AS (
        SELECT v.row_id, f.field, f.level, f.type, f.value_map, v.number, v.day, CASE WHEN a.id IS NULL THEN v.text
                WHEN f.personal = 1 THEN coalesce(a.display_name, a.login, a.email) END AS text
        FROM site_field f JOIN custom_value v ON v.source_id = f.source AND fold(v.field) = fold(f.native)
            LEFT JOIN account a ON a.id = v.text
        WHERE f.counted AND v.counted
    ), told AS (
        SELECT n.*, m.shown FROM named n LEFT JOIN (
            SELECT value_map, fold(value) AS value, any_value(shown) AS shown FROM field_value WHERE counted
                GROUP BY ALL) m
            ON m.value_map = n.value_map AND m.value = fold(coalesce(n.text, n.number::VARCHAR, n.day))
    )
    SELECT 'dim_task' AS of_table, t.id, t.key, v.* EXCLUDE (row_id) FROM told v JOIN task t ON t.id = v.row_id
        WHERE v.level = 'task'
    UNION ALL SELECT 'dim_project', NULL, h.project_key, v.* EXCLUDE (row_id)
        FROM told v JOIN home h ON h.container_id = v.row_id WHERE v.level = 'project'
    UNION ALL SELECT 'fact_worklog', w.id, NULL, v.* EXCLUDE (row_id) FROM told v JOIN worklog_place w
        ON w.id = v.row_id WHERE v.level = 'hours'
    UNION ALL  -- of a line of several days each has its texts, the first its numbers
    SELECT 'fact_worklog', w.id, NULL, v.* EXCLUDE (row_id) REPLACE (
            CASE WHEN row_number() OVER (PARTITION BY v.row_id, v.field ORDER BY w.day) = 1 THEN v.number END AS number)
        FROM told v JOIN span_row s ON s.id = v.row_id JOIN worklog_place w ON w.id = s.id || '@' || w.day
        WHERE v.level = 'hours'
    UNION ALL SELECT 'dim_person', NULL, o.person_key, v.* EXCLUDE (row_id)
        FROM told v JOIN person_of o ON o.account_id = v.row_id WHERE v.level = 'person';
