-- Grain: one source and month. Provisioned accounts are human and not disabled; an active one logged hours or changed a
-- task.
WITH able AS (SELECT source_id, id FROM account WHERE counted AND kind = 'human' AND coalesce(active, 1) = 1),
did AS (
    SELECT account_id AS id, left(day, 7) AS year_month FROM worklog WHERE counted AND account_id IS NOT NULL
    UNION SELECT account_id, left(finish_on, 7) FROM worklog WHERE counted AND account_id IS NOT NULL
        AND finish_on IS NOT NULL
    UNION SELECT c.author_id, left(c.at, 7) FROM task_change c WHERE counted AND author_id IS NOT NULL
), months AS (SELECT DISTINCT a.source_id, d.year_month FROM able a JOIN did d ON d.id = a.id
    WHERE d.year_month <= left(getvariable('as_of_day'), 7))
SELECT m.year_month, s.key AS source_key, (SELECT count(*) FROM able a WHERE a.source_id = m.source_id) AS n_accounts,
    (SELECT count(*) FROM able a JOIN did d ON d.id = a.id AND d.year_month = m.year_month
        WHERE a.source_id = m.source_id) AS n_active
FROM months m JOIN source s ON s.id = m.source_id
