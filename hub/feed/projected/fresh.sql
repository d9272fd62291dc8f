-- Grain: one person in the finest cell of a block whose month is over and that is not cut yet, with the classes that
-- brought it.
-- A class is one publication, days after it apart, and one part of the month between cuts: of each, readers know the
-- total.
WITH cuts AS (SELECT list(DISTINCT as_of) AS days FROM feed.dim_cut WHERE cut_key <> 0
), fresh AS (
    SELECT * FROM atom ANTI JOIN was.block b USING (kind, project_key, month, category, rejected)
    WHERE month < getvariable('open_month')
), many AS (
    SELECT kind, project_key, month, category, rejected FROM fresh GROUP BY ALL
    HAVING count(DISTINCT person_key) >= getvariable('k')
), brought AS (
    SELECT a.*, (2 * c.night + c.ahead::INTEGER) * 1000
        + coalesce(len(list_filter(cuts.days, lambda d: d < a.day)), 0) * (a.kind = 'worklog')::INTEGER AS class
    FROM fresh a SEMI JOIN many USING (kind, project_key, month, category,
        rejected) JOIN was.change c ON c.id = a.id, cuts
), classes AS (SELECT id, list(DISTINCT class) AS classes FROM brought GROUP BY 1)
SELECT kind, project_key, month, category, rejected, team, week, source_key, is_billable, approval, sealed_month,
    nature,
    person_key, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3, sum(m4) AS m4,
    list_sort(list_distinct(flatten(list(c.classes)))) AS classes
FROM fresh f JOIN classes c USING (id) GROUP BY ALL ORDER BY ALL
