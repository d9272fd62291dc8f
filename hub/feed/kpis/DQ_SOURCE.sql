-- Score de qualité par source | Data quality score of a source
-- scope: source
-- measures: score score
-- captions: score Score de qualité de la source | Data quality score of the source
-- headline: score
-- receipt: quality
-- definition: as DQ_SCORE, over the rows of one source.
WITH c AS (
    SELECT source_key, check_code, max(weight) AS weight, sum(n_checked) AS n_checked, sum(n_failed) AS n_failed
    FROM fact_quality WHERE cut_key = getvariable('cut') AND source_key <> -1 GROUP BY ALL
)
SELECT c.source_key, any_value(s.name) AS name,
    100.0 * sum((weight * (1 - n_failed::DOUBLE / n_checked))::DECIMAL(38, 12))::DOUBLE / sum(weight) AS score
FROM c JOIN dim_source s USING (source_key) WHERE n_checked > 0 GROUP BY 1
