-- Grain: one person in the finest cell of a block that is to be cut, with the classes that brought it: where the
-- month is
-- over and it was not cut before; of plans and capacity also, each time anew, where it goes on (`drafting`).
-- A class of worked hours is one publication, days after it apart, and one part of the month between cuts: of each,
-- readers know the total.
WITH cuts AS (SELECT list(DISTINCT as_of) AS days FROM feed.dim_cut WHERE cut_key <> 0
), fresh AS (
    SELECT * FROM atom ANTI JOIN was.block b USING (kind, project_key, month, category, rejected)
    WHERE CASE WHEN getvariable('drafting') THEN kind <> 'worklog' AND month >= getvariable('open_month')
        ELSE month < getvariable('open_month') END
), many AS (
    SELECT kind, project_key, month, category, rejected FROM fresh GROUP BY ALL
    HAVING count(DISTINCT person_key) >= getvariable('k')
), classes AS (
    SELECT a.id, list(DISTINCT (2 * c.night + c.ahead::INTEGER) * 1000
        + coalesce(len(list_filter(cuts.days, lambda d: d < a.day)), 0)) AS classes
    FROM fresh a JOIN was.change c ON c.id = a.id, cuts GROUP BY 1
)
SELECT kind, project_key, month, category, rejected, team, week, source_key, is_billable, approval, sealed_month,
    nature,
    person_key, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3, sum(m4) AS m4,
    list_sort(list_distinct(flatten(list(CASE WHEN kind = 'worklog' THEN c.classes ELSE [0] END)))) AS classes
FROM fresh f SEMI JOIN many USING (kind, project_key, month, category, rejected) LEFT JOIN classes c USING (id)
GROUP BY ALL ORDER BY ALL
