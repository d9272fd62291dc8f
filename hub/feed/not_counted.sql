-- What stands in the feed and no KPI, or not every KPI, counts. A row has one reason: what is named first wins.
-- What does not reach the feed stands in `excluded`, which the gate holds to the store, and in `planned`.
WITH hours AS (
    SELECT seconds, CASE
            WHEN category = 'absence' THEN 'absence: not work, it lowers what is available'
            WHEN category <> 'project' THEN 'internal time: not work of a project'
            WHEN approval = 'rejected' THEN 'rejected'
            WHEN work_date > getvariable('as_of_day')::DATE THEN 'dated after the moment of the feed: not spent yet'
            WHEN year(work_date) < 1990 THEN 'dated before 1990: spent, but in no week of capacity'
            WHEN project_key = -1 THEN 'of no known project: in the total only'
            WHEN amount IS NULL AND EXISTS (SELECT 1 FROM rate_at)
                THEN 'without a rate: in days, not in money' END AS reason
    FROM fact_worklog
), tasks AS (
    SELECT f.*, k.kind, s.category IN ('done', 'cancelled') AS closed, k.is_deleted = 1 AS deleted
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
    WHERE f.cut_key = getvariable('cut_key')
), money AS (
    SELECT amount_minor, category, project_key, approval AS kind FROM line WHERE kind = 'budget'
), turns AS (
    -- amounts that are turned at the rate of the cut's month
    SELECT currency FROM exchange WHERE month = left(getvariable('as_of_day'), 7)
    UNION ALL SELECT getvariable('currency')
), unturned AS (
    SELECT t.id, t.key, coalesce(t.cost_minor, t.actual_cost_minor, t.remaining_cost_minor) IS NOT NULL
            AND t.currency NOT IN (FROM turns) AS cost,
        b.cost_minor IS NOT NULL AND b.currency NOT IN (FROM turns) AS baseline
    FROM task t LEFT JOIN task_baseline b ON b.task_id = t.id
), register AS (
    SELECT f.*, coalesce(r.exposure_minor IS NOT NULL AND r.currency NOT IN (FROM turns), false) AS unturned
    FROM fact_register f LEFT JOIN register_item r ON r.id = f.item_id WHERE f.cut_key = getvariable('cut_key')
), opinion AS (
    SELECT CASE WHEN c.project_key IS NULL THEN 'of no known project' WHEN a.day > getvariable('as_of_day')
            THEN 'dated after the moment of the feed' END AS reason
    FROM assessment a LEFT JOIN project_named c ON c.code = a.project_code WHERE a.counted
), found AS (
    SELECT true AS in_feed, 'seconds' AS measure, reason, seconds AS amount FROM hours
    UNION ALL SELECT false, 'planned_s', reason, seconds FROM planned
    UNION ALL SELECT true, 'planned_s', CASE person_key
            WHEN -1 THEN 'demand that nobody has yet: in the workload plan, not in load and capacity'
            ELSE 'by an account that is nobody of people.csv: not in load and capacity' END, seconds
        FROM planned
        WHERE reason IS NULL AND person_key < 0 AND EXISTS (SELECT 1 FROM person WHERE counted)
            AND person_key NOT IN (SELECT person_key FROM tool_day)
    UNION ALL SELECT true, 'tasks', 'deleted, kept in its baseline: not in work, to do or spent', 1 FROM tasks
        WHERE deleted
    UNION ALL SELECT true, 'tasks', 'milestone without a baseline: not in slips', 1 FROM tasks
        WHERE kind = 'milestone' AND NOT deleted AND baseline_finish IS NULL
    UNION ALL SELECT true, 'tasks', 'open without a remaining amount: landing only at least', 1 FROM tasks
        WHERE is_effort_counted = 1 AND NOT closed AND kind <> 'milestone' AND remaining_amount IS NULL
            AND EXISTS (SELECT 1 FROM rate_at)
    UNION ALL SELECT true, 'tasks', 'of no known project: in the total only', 1 FROM tasks WHERE project_key = -1
    UNION ALL SELECT true, 'tasks', 'costs in a currency without a rate of this month: not in costs', 1
        FROM tasks JOIN unturned u ON u.key = task_key
        WHERE u.cost AND is_effort_counted = 1 AND NOT deleted AND tasks.kind <> 'summary'
    UNION ALL SELECT true, 'tasks', 'baseline in a currency without a rate of this month: not in its amount', 1
        FROM tasks JOIN unturned u ON u.key = task_key WHERE u.baseline AND is_baseline_counted = 1
    UNION ALL SELECT true, 'amount_minor', 'labour: counted from hours, not from the budget', amount_minor FROM money
        WHERE kind IN ('consumed', 'forecast') AND is_labour(category) AND project_key <> -1 AND amount_minor <> 0
    UNION ALL SELECT true, 'amount_minor', 'of no known project: in the total only', amount_minor FROM money
        WHERE project_key = -1
    UNION ALL SELECT true, 'register_items', 'of no known project: in the total only', 1 FROM register
        WHERE project_key = -1
    UNION ALL SELECT true, 'register_items', 'exposure in a currency without a rate of this month: shown empty', 1
        FROM register WHERE unturned
    UNION ALL SELECT true, 'register_items', 'open risk without an amount or a probability: not in the exposure', 1
        FROM register
        WHERE kind = 'risk' AND state = 'open' AND NOT unturned AND (exposure_amount IS NULL OR probability IS NULL)
    UNION ALL SELECT true, 'checklist_items', 'of no known project: in the total only', 1 FROM fact_checklist
        WHERE cut_key = getvariable('cut_key') AND project_key = -1
    UNION ALL SELECT true, 'field_values', 'not of the type that fields.csv says: shown empty', 1 FROM field_odd
    UNION ALL SELECT false, 'assessments', reason, 1 FROM opinion
)
SELECT measure, reason, n, amount, false AS in_feed FROM excluded
UNION ALL SELECT measure, reason, count(*), sum(amount)::BIGINT, in_feed FROM found WHERE reason IS NOT NULL
    GROUP BY ALL
ORDER BY in_feed, measure, reason
