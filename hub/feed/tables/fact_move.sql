-- Grain: one thing that moved since another cut; a closed cut keeps what had moved since the committee before it.
-- 'news' happened after it; a 'correction' tells what was already so, and is told late; where the definition of a KPI
-- changed between the two, that is the cause, and there is no change to tell.
WITH pair AS (
    SELECT getvariable('cut_key') AS cut_key, c.cut_key AS vs_cut_key, c.as_of AS then_on,
        getvariable('as_of_day')::DATE AS now_on
    FROM dim_cut c WHERE c.cut_key = getvariable('vs_cut')
), new AS (
    SELECT f.*, k.title, k.kind, k.is_leaf, k.created_at::DATE AS created_on, s.category,
        coalesce(f.actual_finish, f.planned_finish) AS forecast
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
    WHERE f.cut_key = getvariable('cut_key') AND NOT (k.is_deleted = 1 AND s.category = 'cancelled'
        AND f.is_effort_counted = 0)
), old AS (
    SELECT f.*, k.title, k.kind, k.is_leaf, s.category, coalesce(f.actual_finish, f.planned_finish) AS forecast
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
    -- a deleted task that stays in its baseline is there no more
    WHERE f.cut_key = getvariable('vs_cut') AND NOT (k.is_deleted = 1 AND s.category = 'cancelled'
        AND f.is_effort_counted = 0 AND f.planned_finish IS NULL)
), figure AS (
    SELECT cut_key, project_key, kpi || '.' || measure AS name, value, coalesce(method_version, 1) AS version
    FROM fact_kpi
    WHERE scope_kind = 'project' AND kpi IN ('RAF', 'EVM_DAYS', 'LANDING') AND period = ''
), both_figures AS (
    SELECT coalesce(a.project_key, b.project_key) AS project_key, coalesce(a.name, b.name) AS name, b.value AS before,
        a.value AS after,
        coalesce(a.version <> b.version, false) AS redefined
    FROM (SELECT * FROM figure WHERE cut_key = getvariable('cut_key')) a
        FULL JOIN (SELECT * FROM figure WHERE cut_key = getvariable('vs_cut')) b
        ON a.project_key = b.project_key AND a.name = b.name
), staked AS (
    -- what is closed is at stake no more
    SELECT *, (CASE state WHEN 'open' THEN 1 ELSE 0 END * probability * exposure_amount)::DOUBLE AS at_stake
    FROM fact_register
), spent AS (
    -- a correction of a sealed month is posted later, but speaks of a day of that month: the one it was entered for,
    -- else the month's first
    SELECT l.project_key, l.days, l.approval, CASE WHEN l.sealed_month IS NULL THEN l.day::DATE
            ELSE coalesce(CASE WHEN left(w.day, 7) = l.sealed_month THEN w.day END, p.day,
                l.sealed_month || '-01')::DATE END AS worked_on
    FROM line l LEFT JOIN worklog_place w ON l.sealed_month IS NOT NULL AND w.id = l.row_id
        LEFT JOIN period_line p ON l.sealed_month IS NOT NULL AND p.kind = 'hours' AND p.row_id = l.row_id
            AND p.month = l.sealed_month
    WHERE l.kind = 'hours' AND l.category = 'project' AND l.approval IS DISTINCT FROM 'rejected'
), restated AS (
    SELECT s.project_key, sum(s.days::DECIMAL(38, 12))::DOUBLE AS days FROM spent s, pair p
    WHERE s.worked_on <= p.then_on GROUP BY 1
), late_money AS (
    SELECT l.project_key, l.approval AS kind, sum(l.amount_minor) / 100.0 AS amount FROM line l, pair p
    WHERE l.kind = 'budget' AND l.sealed_month < strftime(p.then_on, '%Y-%m') AND l.day::DATE > p.then_on GROUP BY ALL
), money AS (
    SELECT cut_key, project_key, year_month, unnest(['baseline', 'revised', 'committed', 'consumed',
        'forecast']) AS kind,
        unnest([baseline_amount, revised_amount, committed_amount, consumed_amount, forecast_amount])::DOUBLE AS amount
            FROM fact_budget
), month_money AS (
    SELECT coalesce(a.project_key, b.project_key) AS project_key, coalesce(a.kind, b.kind) AS kind,
        coalesce(a.year_month, b.year_month) AS year_month,
        coalesce(b.amount, 0) AS before, coalesce(a.amount, 0) AS after
    FROM (SELECT project_key, kind, year_month, sum(amount) AS amount FROM money
        WHERE cut_key = getvariable('cut_key') GROUP BY ALL) a
    FULL JOIN (SELECT project_key, kind, year_month, sum(amount) AS amount FROM money
        WHERE cut_key = getvariable('vs_cut') GROUP BY ALL) b
        ON a.project_key = b.project_key AND a.kind = b.kind AND a.year_month = b.year_month
), budget_sum AS (
    -- what was spent or promised in a month before the other cut, and is told only now, is late
    SELECT m.project_key, m.kind, sum(m.before) AS before, sum(m.after) AS after,
        coalesce(sum(m.after - m.before) FILTER (m.kind IN ('consumed', 'committed')
            AND m.year_month < strftime(p.then_on, '%Y-%m')), 0)
            + coalesce(any_value(l.amount), 0) AS late
    FROM pair p, month_money m LEFT JOIN late_money l ON l.project_key = m.project_key AND l.kind = m.kind
        GROUP BY m.project_key, m.kind
), moves AS (
    SELECT 'milestone' AS topic, coalesce(n.project_key, o.project_key) AS project_key,
        coalesce(n.task_key, o.task_key)::VARCHAR AS item_id, coalesce(n.title, o.title) AS item,
        CASE WHEN o.task_key IS NULL THEN 'added' WHEN n.task_key IS NULL THEN 'removed' ELSE 'finish' END AS measure,
        CASE WHEN n.actual_finish <= p.then_on AND o.actual_finish IS DISTINCT FROM n.actual_finish THEN 'correction'
            ELSE 'news' END AS cause,
        'date' AS unit, NULL::DOUBLE AS before_value, NULL::DOUBLE AS after_value, o.forecast AS before_date,
        n.forecast AS after_date, (n.forecast - o.forecast)::DOUBLE AS delta
    FROM (SELECT * FROM new WHERE kind = 'milestone') n FULL JOIN (SELECT * FROM old WHERE kind = 'milestone') o
        ON n.task_key = o.task_key, pair p
    WHERE n.forecast IS DISTINCT FROM o.forecast OR n.task_key IS NULL OR o.task_key IS NULL
    UNION ALL
    SELECT 'effort', f.project_key, f.name, split_part(f.name, '.', 2), 'spent', 'correction', 'days', f.before,
        coalesce(r.days, 0), NULL, NULL, coalesce(r.days, 0) - f.before
    FROM both_figures f LEFT JOIN restated r ON r.project_key = f.project_key WHERE f.name = 'RAF.consomme'
        AND NOT f.redefined AND abs(coalesce(r.days, 0) - coalesce(f.before, 0)) > 1e-6
    UNION ALL
    SELECT 'effort', f.project_key, f.name, split_part(f.name, '.', 2), 'spent', 'news', 'days', coalesce(r.days, 0),
        f.after, NULL, NULL, f.after - coalesce(r.days, 0)
    FROM both_figures f LEFT JOIN restated r ON r.project_key = f.project_key WHERE f.name = 'RAF.consomme'
        AND NOT f.redefined AND abs(coalesce(f.after, 0) - coalesce(r.days, 0)) > 1e-6
    UNION ALL
    SELECT 'effort', project_key, name, split_part(name, '.', 2),
        CASE name WHEN 'RAF.consomme' THEN 'spent' WHEN 'RAF.raf' THEN 'remaining' WHEN 'EVM_DAYS.bac' THEN 'baseline'
            ELSE 'at completion' END,
        CASE WHEN redefined THEN 'definition changed' ELSE 'news' END, 'days', before, after, NULL, NULL,
        CASE WHEN NOT redefined THEN after - before END
    FROM both_figures WHERE (name IN ('RAF.raf', 'RAF.a_terminaison', 'EVM_DAYS.bac')
        OR (name = 'RAF.consomme' AND redefined))
        AND (abs(coalesce(after, 0) - coalesce(before, 0)) > 1e-6
            OR (redefined AND (before IS NULL) <> (after IS NULL)))
    UNION ALL
    SELECT 'budget', project_key, kind, kind, 'amount', 'correction', 'amount', before, before + late, NULL, NULL, late
    FROM budget_sum WHERE abs(late) > 1e-6
    UNION ALL
    SELECT 'budget', project_key, kind, kind, 'amount', 'news', 'amount', before + late, after, NULL, NULL,
        after - before - late
    FROM budget_sum WHERE abs(after - before - late) > 1e-6
    UNION ALL
    SELECT 'risk', coalesce(n.project_key, o.project_key), coalesce(n.item_id, o.item_id), coalesce(n.title, o.title),
        coalesce(n.kind, o.kind) || CASE WHEN o.item_id IS NULL THEN ' opened' WHEN n.item_id IS NULL THEN ' removed'
            WHEN n.state <> o.state THEN ' ' || n.state ELSE ' changed' END,
        CASE WHEN (o.item_id IS NULL AND n.opened_date <= p.then_on)
            OR (n.state <> o.state AND n.closed_date <= p.then_on) THEN 'correction' ELSE 'news' END,
        'amount', o.at_stake, n.at_stake, o.due_date, n.due_date, coalesce(n.at_stake, 0) - coalesce(o.at_stake, 0)
    FROM (SELECT * FROM staked WHERE cut_key = getvariable('cut_key')) n
        FULL JOIN (SELECT * FROM staked WHERE cut_key = getvariable('vs_cut')) o ON n.item_id = o.item_id, pair p
    WHERE (n.state, n.probability, n.exposure_amount, n.impact, n.due_date) IS DISTINCT FROM (o.state, o.probability,
        o.exposure_amount, o.impact, o.due_date)
        OR n.item_id IS NULL OR o.item_id IS NULL
    UNION ALL
    SELECT 'scope', n.project_key, 'added', 'tasks', 'added',
        CASE WHEN n.created_on <= p.then_on THEN 'correction' ELSE 'news' END, 'days',
        0, count(*), NULL, NULL, coalesce(sum(n.estimate_days::DECIMAL(38, 12)), 0)::DOUBLE
    FROM new n LEFT JOIN old o ON n.task_key = o.task_key, pair p WHERE o.task_key IS NULL AND n.is_leaf = 1
        AND n.kind <> 'milestone' GROUP BY ALL
    UNION ALL
    SELECT 'scope', o.project_key, 'removed', 'tasks', 'removed', 'news', 'days', count(*), 0, NULL, NULL,
        -coalesce(sum(o.estimate_days::DECIMAL(38, 12)), 0)::DOUBLE
    FROM old o LEFT JOIN new n ON n.task_key = o.task_key, pair p WHERE n.task_key IS NULL AND o.kind <> 'milestone'
        AND o.is_effort_counted = 1 GROUP BY ALL
)
SELECT p.cut_key, p.vs_cut_key, m.* FROM moves m, pair p
