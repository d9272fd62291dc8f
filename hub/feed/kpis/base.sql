-- What every KPI stands on: the tasks of the cut with what is planned, earned and left; the work that counts up to
-- the day. Person-days are summed as decimals everywhere: the order of rows must not change the last digit of a KPI.
-- All of it belongs to the connection (TEMP): several that look at one feed, each at another cut, do not meet.
CREATE OR REPLACE TEMP MACRO planned_by(day, start_day, finish_day, seq, start_seq, start_is_workday, finish_seq) AS
    CASE WHEN finish_day IS NULL THEN NULL WHEN day >= finish_day THEN 1.0 WHEN day < start_day THEN 0.0
        ELSE coalesce((seq - (start_seq - start_is_workday))::DOUBLE
            / nullif(finish_seq - (start_seq - start_is_workday), 0), 0.0) END;
CREATE OR REPLACE TEMP VIEW kpi_task AS
    SELECT f.*, k.kind, k.title, k.key AS reference, s.category,
        coalesce(f.is_baseline_counted, f.is_effort_counted) = 1 AS in_baseline, f.is_effort_counted = 1 AS in_effort,
        s.category NOT IN ('done', 'cancelled') AS is_open,
        planned_by(getvariable('as_of'), f.baseline_start, f.baseline_finish, n.workday_seq, b.workday_seq,
            b.is_workday, e.workday_seq) AS planned_share,
        CASE s.category WHEN 'done' THEN 1.0 WHEN 'cancelled' THEN 0.0
            ELSE coalesce(f.percent / 100.0, 0.0) END AS earned_share
    FROM fact_task_snapshot f JOIN dim_task k USING (task_key) JOIN dim_status s USING (status_key)
        LEFT JOIN dim_date n ON n.date = getvariable('as_of') LEFT JOIN dim_date b ON b.date = f.baseline_start
        LEFT JOIN dim_date e ON e.date = f.baseline_finish
    WHERE f.cut_key = getvariable('cut');
-- what is left; a project without any task whose effort counts has no row: nothing planned is not nothing left
CREATE OR REPLACE TEMP VIEW kpi_left AS
    SELECT project_key, sum(estimate_days::DECIMAL(38, 12))::DOUBLE AS estimate_days,
        coalesce(sum(remaining_days::DECIMAL(38, 12)) FILTER (is_open), 0)::DOUBLE AS days_known,
        coalesce(sum(remaining_amount) FILTER (is_open), 0)::DOUBLE AS amount_known,
        count(*) FILTER (is_open AND kind <> 'milestone' AND remaining_days IS NULL) AS days_missing,
        count(*) FILTER (is_open AND kind <> 'milestone' AND remaining_amount IS NULL) AS amount_missing,
        count(*) FILTER (is_open AND kind <> 'milestone') AS n_open
    FROM kpi_task WHERE in_effort GROUP BY 1;
-- what budgets call the work of people, in French and English, without accents, case, spaces and signs
CREATE OR REPLACE TEMP MACRO is_labour(category) AS
    regexp_replace(strip_accents(replace(replace(lower(category), 'œ', 'oe'), 'æ', 'ae')), '[^a-z0-9]', '', 'g') IN (
        'labour', 'labor', 'labourcost', 'labourcosts', 'laborcost', 'laborcosts', 'internallabour', 'internallabor',
        'directlabour', 'directlabor',
        'staff', 'staffcost', 'staffcosts', 'staffing', 'internalstaff', 'personnel', 'personnelcost',
        'personnelcosts', 'personnelinterne', 'manpower',
        'workforce', 'wage', 'wages', 'salary', 'salaries', 'payroll', 'internaleffort',
        'maindoeuvre', 'maindoeuvreinterne', 'maindoeuvredirecte', 'mo', 'moi', 'mod', 'salaire', 'salaires',
        'massesalariale', 'chargessalariales',
        'chargesdepersonnel', 'fraisdepersonnel', 'coutsalarial', 'coutssalariaux', 'coutdepersonnel',
        'coutsdepersonnel', 'effectif', 'effectifs',
        'coutdemaindoeuvre', 'coutsdemaindoeuvre', 'fraisdemaindoeuvre', 'equipeinterne', 'ressourcesinternes',
        'ressourceshumaines', 'travailinterne',
        'internalresources', 'humanresources', 'employeecosts', 'personnelexpenses', 'staffexpenses'
    );
CREATE OR REPLACE TEMP VIEW kpi_work AS
    SELECT * FROM fact_worklog WHERE work_date <= getvariable('as_of') AND category = 'project'
        AND approval IS DISTINCT FROM 'rejected';
-- a week that lies in two months is one week here
CREATE OR REPLACE TEMP VIEW kpi_week AS
    SELECT person_key, week_start, greatest(sum(capacity_s) - sum(absence_s), 0)::BIGINT AS available_s,
        sum(allocated_s)::BIGINT AS allocated_s,
        sum(logged_s)::BIGINT AS logged_s
    FROM fact_capacity_week GROUP BY ALL;
CREATE OR REPLACE TEMP VIEW kpi_interval AS
    SELECT i.task_key, i.seq, i.project_key, s.category, i.status_raw, i.entered_at,
        CASE WHEN i.left_at <= getvariable('as_of_at') THEN i.left_at END AS left_at
    FROM fact_status_interval i JOIN dim_status s USING (status_key) WHERE i.entered_at <= getvariable('as_of_at');
-- one row a finished task: lead and cycle in days; done is the start of the last uninterrupted run of done statuses
CREATE OR REPLACE TEMP VIEW kpi_lead AS
    WITH run AS (
        SELECT *, sum((category <> 'done')::INTEGER) OVER w AS block, lag(category) OVER w AS before,
            max(seq) OVER (PARTITION BY task_key) AS last_seq
        FROM kpi_interval WINDOW w AS (PARTITION BY task_key ORDER BY seq)
    ), task AS (
        SELECT task_key, any_value(project_key) AS project_key, min(entered_at) AS first_at,
            arg_max(category, seq) AS category, max(block) AS last_block,
            min(entered_at) FILTER (category = 'in_progress') AS started,
            sum(epoch(left_at) - epoch(entered_at)) FILTER (category = 'in_progress' AND left_at IS NOT NULL)
                / 86400.0 AS active,
            count(*) FILTER (category = 'done' AND before IS DISTINCT FROM 'done') AS runs
        FROM run GROUP BY 1
    ), ended AS (
        SELECT t.*, (SELECT min(r.entered_at) FROM run r WHERE r.task_key = t.task_key AND r.category = 'done'
            AND r.block = t.last_block) AS finished
        FROM task t WHERE t.category = 'done'
    )
    SELECT e.project_key, e.task_key, k.title, k.url,
        round((epoch(e.finished) - epoch(coalesce(k.created_at, e.first_at))) / 86400.0, 6) AS lead_days,
        round((epoch(e.finished) - epoch(e.started)) / 86400.0, 6) AS cycle_days, round(e.active, 6) AS active_days,
        e.runs - 1 AS reopened
    FROM ended e JOIN dim_task k USING (task_key) WHERE coalesce(k.is_deleted, 0) = 0;
