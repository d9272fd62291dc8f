-- Marges | Float
-- scope: project
-- measures: least duration, lost duration
-- captions: least Plus petite marge totale (jours) | Least total slack (days); lost Plus forte perte de marge (jours)
--   | Largest slack lost (days)
-- headline: lost
-- receipt: slacks
-- definition: the smallest total slack of open tasks, and the largest loss of one since the previous cut, in working
--   days.
-- edge cases: a task that was not there at the previous cut lost nothing; without a previous cut that is NULL, and so
--   it is where no task of the project was there.
WITH before AS (
    SELECT f.task_key, f.total_slack_days FROM fact_task_snapshot f JOIN dim_cut b ON b.cut_key = f.cut_key
        JOIN dim_cut c ON c.cut_key = getvariable('cut') AND c.previous_ordinal = b.ordinal
)
SELECT t.project_key, min(t.total_slack_days) AS least,
    max(greatest(b.total_slack_days - t.total_slack_days, 0)) FILTER (b.task_key IS NOT NULL) AS lost
FROM kpi_task t LEFT JOIN before b ON b.task_key = t.task_key AND b.total_slack_days IS NOT NULL
WHERE t.is_open AND t.kind <> 'summary' AND t.total_slack_days IS NOT NULL GROUP BY 1 ORDER BY 1
