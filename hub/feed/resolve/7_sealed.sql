-- Hours and money spent, with sealed months kept: what changed in one later is a signed line on the day it was noticed.
CREATE TABLE candidate AS
    SELECT 'hours' AS kind, w.id AS row_id, left(w.day, 7) AS month, w.project_key, w.task_key, w.day, w.category,
        w.billable AS flag, w.approval,
        w.seconds, w.seconds / w.seconds_per_day AS days,
        -- per line, half up on minor units, sign kept
        CASE WHEN p.minor_per_day IS NOT NULL THEN sign(w.seconds)::BIGINT
            * ((2 * abs(w.seconds)::HUGEINT * p.minor_per_day
                + w.seconds_per_day) // (2 * w.seconds_per_day))::BIGINT END AS amount_minor
    FROM worklog_place w LEFT JOIN priced p ON p.person_key = w.person_key AND p.project_key = w.project_key
        AND p.day = w.day::DATE
    WHERE w.reason IS NULL
    UNION ALL
    SELECT 'budget', b.id, b.month, b.project_key, -1, b.month || '-01', b.category, coalesce(b.is_capex, 0), b.kind,
        0, 0.0, b.amount
    FROM budget_place b WHERE b.reason IS NULL;
CREATE TABLE late_line AS
    WITH booked AS (
        SELECT kind, row_id, month, project_key, task_key, category, flag, approval, sum(seconds) AS seconds,
            sum(days) AS days,
            sum(amount_minor) AS amount_minor
        FROM (SELECT kind, row_id, month, project_key, task_key, category, flag, approval, seconds, days, amount_minor
            FROM period_line
            UNION ALL SELECT kind, row_id, sealed_month, project_key, task_key, category, flag, approval, seconds,
                days, amount_minor FROM period_variance)
        GROUP BY ALL
    ), now AS (
        SELECT c.* FROM candidate c JOIN period_close s ON s.month = c.month
        WHERE c.kind = 'hours' OR c.approval = 'consumed'
    )
    SELECT coalesce(n.kind, b.kind) AS kind, coalesce(n.row_id, b.row_id) AS row_id,
        coalesce(n.month, b.month) AS sealed_month,
        coalesce(n.project_key, b.project_key) AS project_key, coalesce(n.task_key, b.task_key) AS task_key,
        coalesce(n.category, b.category) AS category, coalesce(n.flag, b.flag) AS flag,
        coalesce(n.approval, b.approval) AS approval,
        (coalesce(n.seconds, 0) - coalesce(b.seconds, 0))::BIGINT AS seconds,
        coalesce(n.days, 0) - coalesce(b.days, 0) AS days,
        CASE WHEN n.amount_minor IS NOT NULL OR b.amount_minor IS NOT NULL
            THEN (coalesce(n.amount_minor, 0) - coalesce(b.amount_minor, 0))::BIGINT END AS amount_minor,
        CASE WHEN b.row_id IS NULL THEN 'entered or corrected after the month was sealed' WHEN n.row_id IS NULL
            THEN 'taken back after the month was sealed'
            ELSE 'corrected after the month was sealed' END AS reason
    FROM now n FULL JOIN booked b ON n.kind = b.kind AND n.row_id = b.row_id AND n.month = b.month
        AND n.project_key = b.project_key
        AND n.task_key = b.task_key AND n.category = b.category AND n.flag IS NOT DISTINCT FROM b.flag
        AND n.approval = b.approval
    WHERE coalesce(n.seconds, 0) <> coalesce(b.seconds, 0)
        OR coalesce(n.amount_minor, 0) <> coalesce(b.amount_minor, 0);
CREATE TABLE variance AS
    SELECT seq, kind, row_id, sealed_month, posted_on, project_key, task_key, category, flag, approval, seconds, days,
        amount_minor, reason FROM period_variance
    UNION ALL
    SELECT (SELECT coalesce(max(seq), 0) FROM period_variance)
        + row_number() OVER (ORDER BY sealed_month, kind, row_id, project_key, task_key, category, approval, flag),
        kind, row_id, sealed_month, getvariable('as_of_day'), project_key, task_key, category, flag, approval, seconds,
        days, amount_minor, reason
    FROM late_line;
CREATE TABLE line AS
    -- a line that moved out of a sealed month stands twice: sealed with its correction, and where it is now
    SELECT kind, row_id || CASE WHEN EXISTS (SELECT 1 FROM period_line p WHERE p.row_id = c.row_id AND p.kind = c.kind)
        THEN '@' || c.month ELSE '' END AS line_id,
        row_id, day, project_key, task_key, category, flag, approval, seconds, days, amount_minor, NULL AS sealed_month
    FROM candidate c WHERE NOT EXISTS (SELECT 1 FROM period_close s WHERE s.month = c.month)
        OR (c.kind = 'budget' AND c.approval <> 'consumed')
    UNION ALL
    SELECT kind, row_id, row_id, day, project_key, task_key, category, flag, approval, seconds, days, amount_minor,
        NULL FROM period_line
    UNION ALL
    SELECT kind, 'variance:' || seq, row_id, posted_on, project_key, task_key, category, flag, approval, seconds, days,
        amount_minor, sealed_month FROM variance;
-- what does not reach the feed, and why
CREATE TABLE excluded AS
    SELECT 'seconds' AS measure, reason, count(DISTINCT key) AS n, sum(seconds)::BIGINT AS amount FROM worklog_place
    WHERE reason IS NOT NULL GROUP BY reason
    UNION ALL SELECT 'tasks', CASE WHEN cause = 'row' THEN presence ELSE cause || ' ' || presence END, count(*),
        count(*)
        FROM task_gone GROUP BY 2
    UNION ALL SELECT 'amount_minor', reason, count(*), sum(amount_minor)::BIGINT FROM budget_place
        WHERE reason IS NOT NULL GROUP BY reason
    UNION ALL SELECT 'amount_minor', 'converted from ' || currency, count(*), sum(amount_minor - amount)::BIGINT
        FROM budget_place WHERE reason IS NULL AND currency <> getvariable('currency') GROUP BY 2;
