-- Grain: one block that was cut, and whose cells may not stay as they are: it changed since, it is gone, or fewer
-- people than k made some.
WITH now AS (
    SELECT kind, project_key, month, category, rejected, sum(m1)::BIGINT AS m1, sum(m3) AS m3 FROM atom GROUP BY ALL
), given AS (
    SELECT kind, project_key, month, category, rejected, sum(m1)::BIGINT AS m1, sum(m3) AS m3, min(people) AS fewest
    FROM was.cell GROUP BY ALL
), compared AS (
    SELECT kind, project_key, month, category, rejected, b.people, n.kind IS NOT NULL AS here, coalesce(n.m1,
        0) - g.m1 AS rest,
        coalesce(n.m3, 0) - coalesce(g.m3, 0) AS money, g.fewest, coalesce(b.m1, 0) AS before, coalesce(b.m3,
            0) AS money_before
    FROM was.block b JOIN given g USING (kind, project_key, month, category, rejected)
        LEFT JOIN now n USING (kind, project_key, month, category, rejected)
)
SELECT kind, project_key, month, category, rejected, people, here, rest, money,
    rest <> before OR money <> money_before AS moved
FROM compared WHERE NOT here OR moved OR fewest < getvariable('k') OR people BETWEEN 1 AND getvariable('k') - 1
