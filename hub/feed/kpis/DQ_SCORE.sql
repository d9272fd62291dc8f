-- Score de qualité | Data quality score
-- scope: project
-- measures: score score
-- captions: score Score de qualité du projet | Data quality score of the project
-- headline: score
-- receipt: quality
-- definition: 100 × Σ weight × pass rate / Σ weight, over the checks that had something to check.
-- edge cases: a check with nothing to check is left out.
WITH c AS (
    SELECT project_key, check_code, max(weight) AS weight, sum(n_checked) AS n_checked, sum(n_failed) AS n_failed
    FROM fact_quality WHERE cut_key = getvariable('cut') GROUP BY ALL
)
SELECT project_key, 100.0 * sum((weight * (1 - n_failed::DOUBLE / n_checked))::DECIMAL(38, 12))::DOUBLE
    / sum(weight) AS score FROM c WHERE n_checked > 0 GROUP BY 1
