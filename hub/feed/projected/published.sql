-- Grain: one sum that goes out: a cell (level 0 week and team, 1 team, 2 nature), or what remains of a
-- block (3).
CREATE TABLE published AS
WITH cell AS (SELECT * FROM was.cell UNION ALL SELECT * FROM draft
), whole AS (
    SELECT kind, project_key, month, category, rejected, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3,
        sum(m4) AS m4,
        CASE WHEN count(DISTINCT source_key) = 1 THEN any_value(source_key) ELSE -1 END AS source_key
    FROM atom GROUP BY kind, project_key, month, category, rejected
), given AS (
    SELECT kind, project_key, month, category, rejected, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3,
        sum(m4) AS m4
    FROM cell GROUP BY ALL
)
SELECT * FROM cell SEMI JOIN whole USING (kind, project_key, month, category, rejected)
UNION ALL BY NAME
SELECT kind, project_key, month, category, rejected, 3 AS level, w.source_key,
    CASE WHEN rejected THEN 'rejected' ELSE 'unknown' END AS approval, w.m1 - coalesce(g.m1, 0) AS m1,
    -- the absence of a rest is off its capacity, and not told
    CASE WHEN kind <> 'capacity' THEN w.m2 - coalesce(g.m2, 0) END AS m2, w.m3 - coalesce(g.m3, 0) AS m3,
    w.m4 - coalesce(g.m4, 0) AS m4
FROM whole w LEFT JOIN given g USING (kind, project_key, month, category, rejected)
WHERE g.kind IS NULL OR w.m1 <> g.m1 OR coalesce(w.m3, 0) <> coalesce(g.m3, 0)
    OR (kind <> 'capacity' AND abs(coalesce(w.m2, 0) - coalesce(g.m2, 0)) > 1e-6)
