-- Anomalies / évolutions | Defects and change requests
-- scope: project
-- period: year
-- measures: anomalies count, evolutions count, unqualified count, anomaly_share share, requalified count,
--   anomaly_effort_share share
-- captions: anomalies Anomalies créées | Anomalies raised; evolutions Évolutions créées | Change requests raised;
--   unqualified Demandes non qualifiées | Unqualified requests; anomaly_share Part des anomalies | Share of anomalies;
--   requalified Demandes requalifiées | Requalified requests; anomaly_effort_share Part de charge sur anomalies |
--   Share of effort on anomalies
-- headline: anomaly_share
-- receipt: demands
-- definition: tasks created since 1 January by their current nature, their share of effort, and those whose nature was
--   changed.
-- edge cases: unqualified ones are counted apart; a requalified task had a nature before.
WITH k AS (
    SELECT * FROM dim_task WHERE coalesce(is_deleted, 0) = 0 AND nature IN ('anomaly', 'evolution', 'unknown')
        AND task_key <> -1
        AND created_at::DATE BETWEEN date_trunc('year', getvariable('as_of')) AND getvariable('as_of')
), n AS (
    SELECT project_key, count(*) FILTER (nature = 'anomaly') AS anomalies,
        count(*) FILTER (nature = 'evolution') AS evolutions,
        count(*) FILTER (nature = 'unknown') AS unqualified,
        count(*) FILTER (nature <> nature_first AND nature_first <> 'unknown') AS requalified
    FROM k GROUP BY 1
), w AS (
    SELECT f.project_key, coalesce(sum(f.days::DECIMAL(38, 12)) FILTER (t.nature = 'anomaly'), 0)::DOUBLE AS an,
        coalesce(sum(f.days::DECIMAL(38, 12)) FILTER (t.nature = 'evolution'), 0)::DOUBLE AS ev
    FROM kpi_work f JOIN dim_task t USING (task_key) WHERE f.work_date >= date_trunc('year', getvariable('as_of'))
        GROUP BY 1
)
SELECT d.project_key, strftime(getvariable('as_of'), '%Y') AS year, coalesce(anomalies, 0) AS anomalies,
    coalesce(evolutions, 0) AS evolutions,
    coalesce(unqualified, 0) AS unqualified, anomalies::DOUBLE / nullif(anomalies + evolutions, 0) AS anomaly_share,
    coalesce(requalified, 0) AS requalified,
    CASE WHEN abs(an + ev) > 1e-9 THEN an / (an + ev) END AS anomaly_effort_share
FROM dim_project d LEFT JOIN n USING (project_key) LEFT JOIN w USING (project_key)
