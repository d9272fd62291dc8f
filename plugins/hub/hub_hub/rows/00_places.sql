-- Which container every project and tool of the feed becomes, and what a feed's rows are called here.
CREATE MACRO own(native) AS getvariable('source') || ':' || native;
CREATE MACRO minor(amount) AS round(amount * 100)::BIGINT;
CREATE MACRO stamp(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%SZ');
-- below lines a person is a team or a pseudonym, whose keys are of this one feed, and its name is not
CREATE TABLE who AS
    SELECT person_key, own(CASE WHEN getvariable('lines') THEN 'person/' || person_key
        ELSE 'group/' || person_label END) AS id, person_label, role FROM dim_person WHERE person_key <> -1;
CREATE MACRO person(key) AS (SELECT id FROM who WHERE who.person_key = key);
-- the sites of the feed: its tools, the hub itself, and what the hubs that it reads bring
CREATE TABLE origin AS
    SELECT name AS path, site FROM dim_source WHERE name <> 'config' AND site IS NOT NULL
        AND (plugin <> 'hub' OR regexp_matches(site, '^(https?://|source )'))
    UNION SELECT '', site FROM dim_source WHERE name = 'config' AND site LIKE 'hub:%'
    UNION SELECT rtrim(name || ':' || split_part(line, '=', 1), ':'), substr(line, instr(line, '=') + 1)
    FROM (SELECT name, unnest(string_split(site, chr(10))) AS line FROM dim_source WHERE plugin = 'hub') l
    WHERE line LIKE '%=%';
CREATE TABLE tool AS
    SELECT source_key, CASE WHEN source_key = -1 THEN '-' ELSE name END AS tool,
        coalesce(seconds_per_day, 25200) AS per_day FROM dim_source
    UNION ALL SELECT -2, '-', 25200;
CREATE TABLE called AS
    SELECT project_key, CASE WHEN project_key = -1 THEN 'none' ELSE coalesce(project_id, code, project_key::VARCHAR) END
        AS identity, code, name, state FROM dim_project;
-- days of another length than the tool's own are a container of their own, so that hours and days both stay
CREATE TABLE hours AS
    SELECT w.*, CASE WHEN w.grain = 'day' AND w.days <> 0 AND w.seconds / w.days BETWEEN 1 AND 86400.4
        THEN round(w.seconds / w.days)::BIGINT ELSE t.per_day END AS long
    FROM fact_worklog w JOIN tool t USING (source_key)
    WHERE getvariable('cut') = 0 OR w.work_date <= getvariable('cut_day')::DATE;
CREATE TABLE usual AS
    SELECT project_key, source_key, mode(long) AS long FROM hours GROUP BY ALL;
-- below lines a feed does not say the tool's own id of a task: what people call it stands for it
CREATE TABLE work AS
    SELECT k.* REPLACE (coalesce(k.task_id, CASE WHEN count(*) OVER (PARTITION BY k.source_key, k.key) = 1
            THEN t.tool || ':code/' || k.key END, t.tool || ':task/' || k.task_key) AS task_id),
        s.* EXCLUDE (task_key, project_key, cut_key, is_critical, total_slack_days), s.project_key AS at_project,
        coalesce(u.long, t.per_day) AS long
    FROM dim_task k JOIN fact_task_snapshot s ON s.task_key = k.task_key AND s.cut_key = getvariable('cut')
        JOIN tool t ON t.source_key = k.source_key
        LEFT JOIN usual u ON u.project_key = s.project_key AND u.source_key = k.source_key
    WHERE k.task_key <> -1;
-- planned weeks are of the one tool that has effort in the project
CREATE TABLE planner AS
    SELECT at_project AS project_key, CASE WHEN count(DISTINCT source_key) = 1 THEN min(source_key) ELSE -2 END
        AS source_key, CASE WHEN count(DISTINCT source_key) = 1 THEN min(long) ELSE 25200 END AS long
    FROM work WHERE estimate_days IS NOT NULL OR remaining_days IS NOT NULL GROUP BY 1;
CREATE TABLE plan AS
    SELECT a.*, coalesce(p.source_key, -2) AS source_key, coalesce(p.long, 25200) AS long
    FROM fact_allocation_week a LEFT JOIN planner p USING (project_key) WHERE a.planned_s <> 0;
CREATE TABLE home AS
    SELECT p.*, c.code, c.name, c.state, t.tool,
        own(t.tool || ':project/' || c.identity || CASE WHEN p.long <> t.per_day THEN '/' || p.long ELSE '' END) AS id
    FROM (SELECT at_project AS project_key, source_key, long FROM work
        UNION SELECT project_key, source_key, long FROM hours
        UNION SELECT project_key, source_key, long FROM plan UNION SELECT project_key, -2, 25200 FROM dim_project) p
        JOIN called c USING (project_key) JOIN tool t USING (source_key);
CREATE MACRO whole(wanted) AS (SELECT id FROM home h WHERE h.project_key = wanted AND h.source_key = -2
    AND h.long = 25200);
