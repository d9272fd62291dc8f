-- The tables of time from what goes out (`part`): a cell bears its week and team, all else the first day of its
-- month.
CREATE TABLE crew_key AS
    SELECT -1 - row_number() OVER (ORDER BY team) AS team_key, team, coalesce(team, getvariable('none')) AS label
    FROM (SELECT DISTINCT team FROM part WHERE level < 2);
CREATE TABLE sums AS
    SELECT p.*, CASE WHEN p.level < 2 THEN c.team_key END AS team_key, CASE WHEN p.level = 0
        THEN 'week' ELSE 'month' END AS grain,
        coalesce(p.week, (p.month || '-01')::DATE) AS day
    FROM part p LEFT JOIN crew_key c ON c.team IS NOT DISTINCT FROM p.team;
CREATE TABLE dim_person AS
    SELECT -1 AS person_key, getvariable('hidden') AS person_label, NULL AS team, NULL AS role, NULL AS is_external,
        NULL AS timesheet_expected
    UNION ALL SELECT team_key, label, team, NULL, NULL, NULL FROM crew_key;
CREATE TABLE fact_worklog AS
    SELECT md5(concat_ws('|', month, level, project_key, rejected, coalesce(team_key, -1), week, source_key,
        category, is_billable,
            approval, sealed_month, nature)) AS worklog_id,
        day AS work_date, strftime(day, '%Y%m%d')::BIGINT AS date_key, project_key, -1 AS task_key,
        coalesce(team_key, -1) AS person_key, source_key, category, is_billable, approval, m1 AS seconds,
            m2 AS days, m3 AS amount,
        NULL AS updated_at, sealed_month, grain
    FROM sums WHERE kind = 'worklog';
CREATE TABLE fact_allocation_week AS
    SELECT CASE grain WHEN 'week' THEN date_trunc('week', day) ELSE day END AS week_start,
        strftime(day, '%Y-%m') AS year_month, strftime(day, '%Y%m%d')::BIGINT AS date_key,
        coalesce(team_key, -1) AS person_key, project_key, coalesce(sum(m1) FILTER (kind = 'plan'), 0) AS planned_s,
        coalesce(sum(m1) FILTER (kind = 'worklog'), 0) AS logged_s, grain
    FROM sums WHERE kind = 'plan' OR (kind = 'worklog' AND category = 'project') GROUP BY ALL;
CREATE TABLE fact_capacity_week AS
    SELECT CASE grain WHEN 'week' THEN date_trunc('week', day) ELSE day END AS week_start,
        strftime(day, '%Y-%m') AS year_month, strftime(day, '%Y%m%d')::BIGINT AS date_key,
        coalesce(team_key, -1) AS person_key,
        coalesce(sum(m1 + coalesce(m2, 0)) FILTER (kind = 'capacity'), 0) AS capacity_s,
        sum(m2) FILTER (kind = 'capacity') AS absence_s, coalesce(round(sum(m4) FILTER (kind = 'plan')),
            0) AS allocated_s,
        coalesce(round(sum(m4) FILTER (kind = 'worklog')), 0) AS logged_s, grain
    FROM sums WHERE kind = 'capacity' OR m4 IS NOT NULL GROUP BY ALL;
-- whose task it is, and what was spent on it, is one person's
CREATE TABLE fact_task_snapshot AS SELECT * REPLACE (-1 AS person_key, NULL AS spent_days)
    FROM feed.fact_task_snapshot;
CREATE TABLE fact_assignment AS
    SELECT md5(concat_ws('|', task_key, source_key)) AS assignment_id, task_key, project_key, -1 AS person_key,
        source_key, NULL AS units, min(start_date) AS start_date, max(finish_date) AS finish_date,
        sum(planned_days) AS planned_days,
        NULL AS actual_days, sum(remaining_days) AS remaining_days, sum(cost_amount) AS cost_amount,
        NULL AS actual_cost_amount, sum(remaining_cost_amount) AS remaining_cost_amount
    FROM feed.fact_assignment GROUP BY task_key, project_key, source_key;
CREATE TABLE dim_source AS
    SELECT * FROM feed.dim_source
    UNION ALL SELECT -1, getvariable('several'), '', NULL, NULL, NULL, NULL, NULL
    WHERE EXISTS (SELECT 1 FROM fact_worklog WHERE source_key = -1)
        AND NOT EXISTS (SELECT 1 FROM feed.dim_source WHERE source_key = -1)
