-- The tables that speak of persons, each under the pseudonym of `crew_key`, hours by week (cut at the month's end).
CREATE TABLE dim_person AS
    SELECT team_key AS person_key, any_value(label) AS person_label, any_value(team) AS team, NULL AS role,
        NULL AS is_external,
        NULL AS timesheet_expected
    FROM crew_key GROUP BY team_key;
CREATE TABLE fact_worklog AS
    SELECT md5(concat_ws('|', day, w.project_key, w.person_key, w.source_key, w.category, w.is_billable, w.approval,
            w.sealed_month)) AS worklog_id,
        day AS work_date, strftime(day, '%Y%m%d')::BIGINT AS date_key, project_key, -1 AS task_key, person_key,
            source_key, category,
        is_billable, approval, sum(seconds) AS seconds, sum(days) AS days, sum(amount) AS amount,
            NULL AS updated_at, sealed_month,
        'week' AS grain
    FROM (SELECT f.* EXCLUDE (person_key), k.team_key AS person_key,
            greatest(date_trunc('week', work_date), date_trunc('month', work_date))::DATE AS day
        FROM feed.fact_worklog f JOIN crew_key k USING (person_key)) w
    GROUP BY day, project_key, person_key, source_key, category, is_billable, approval, sealed_month;
CREATE TABLE fact_allocation_week AS
    SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_allocation_week f JOIN crew_key k USING (person_key);
CREATE TABLE fact_capacity_week AS
    SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_capacity_week f JOIN crew_key k USING (person_key);
CREATE TABLE fact_task_snapshot AS
    SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_task_snapshot f JOIN crew_key k USING (person_key);
CREATE TABLE fact_assignment AS
    SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_assignment f JOIN crew_key k USING (person_key)
