-- Remember every block whose month is over as cut, with what is its rest now.
INSERT INTO was.block
WITH given AS (SELECT kind, project_key, month, category, rejected, sum(m1)::BIGINT AS m1, sum(m3) AS m3
    FROM was.cell GROUP BY ALL)
SELECT kind, project_key, month, category, rejected, coalesce(any_value(p.people), 0),
    sum(a.m1)::BIGINT - coalesce(any_value(g.m1), 0), sum(a.m3) - coalesce(any_value(g.m3), 0)
FROM atom a ANTI JOIN was.block b USING (kind, project_key, month, category, rejected)
    LEFT JOIN given g USING (kind, project_key, month, category, rejected)
    LEFT JOIN rest_people p USING (kind, project_key, month, category, rejected)
WHERE month < getvariable('open_month') GROUP BY kind, project_key, month, category, rejected;
DELETE FROM was.change WHERE month < getvariable('open_month')
