-- Chemin critique | Critical path
-- scope: project
-- measures: critical_days days, open_days days, share share = critical_days / open_days, near_critical count
-- captions: critical_days Reste à faire critique (JH) | To do on the critical path (days); open_days Reste à faire des
--   tâches planifiées (JH) | To do of scheduled tasks (days); share Part critique du reste à faire | Critical share of
--   the work to do; near_critical Tâches presque critiques | Near-critical tasks
-- headline: share
-- receipt: slacks
-- definition: what is left of open tasks on the critical path, of what is left of all open tasks of which the tool says
--   whether they are; near critical are those with five days of total slack or less.
-- edge cases: critical and slack are those that the tool computed; a project of which no tool says it has no row.
SELECT project_key, coalesce(sum(remaining_days::DECIMAL(38, 12)) FILTER (is_critical = 1), 0)::DOUBLE AS critical_days,
    coalesce(sum(remaining_days::DECIMAL(38, 12)), 0)::DOUBLE AS open_days,
    coalesce(sum(remaining_days::DECIMAL(38, 12)) FILTER (is_critical = 1), 0)::DOUBLE
        / nullif(sum(remaining_days::DECIMAL(38, 12))::DOUBLE, 0) AS share,
    count(*) FILTER (is_critical = 0 AND total_slack_days <= 5) AS near_critical
FROM kpi_task WHERE is_open AND kind <> 'summary' AND is_critical IS NOT NULL GROUP BY 1 ORDER BY 1
