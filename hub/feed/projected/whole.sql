-- Grain: one block; the coarser level has the sums of the finer one's, so that what goes to two places cannot be
-- subtracted either.
CREATE TABLE part AS
SELECT kind, project_key, month, category, rejected, 3 AS level, NULL::VARCHAR AS team, NULL::DATE AS week,
    CASE WHEN count(DISTINCT source_key) = 1 THEN any_value(source_key) ELSE -1 END AS source_key,
    NULL::BIGINT AS is_billable, CASE WHEN rejected THEN 'rejected' ELSE 'unknown' END AS approval,
    NULL::VARCHAR AS sealed_month, NULL::VARCHAR AS nature, sum(m1) AS m1, CASE WHEN kind <> 'capacity'
        THEN sum(m2) END AS m2,
    sum(m3) AS m3, sum(m4) AS m4
FROM published GROUP BY kind, project_key, month, category, rejected
