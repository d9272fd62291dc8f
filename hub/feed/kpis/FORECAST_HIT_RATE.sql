-- Fiabilité des prévisions | How often forecasts were right
-- scope: project
-- measures: p50 share = p50_held / p50_due, p80 share = p80_held / p80_due, p95 share = p95_held / p95_due, error share
--   = missed / said, n count, open count
-- captions: p50 Prévisions P50 tenues | P50 forecasts that held; p80 Prévisions P80 tenues | P80 forecasts that held;
--   p95 Prévisions P95 tenues | P95 forecasts that held; error Écart moyen à la prévision P50 | Mean error of the P50
--   forecast; n Prévisions passées | Past forecasts; open Prévisions dont l'issue n'est pas connue | Past forecasts
--   whose end is not known yet
-- headline: p80
-- split: topic
-- receipt: forecasts
-- definition: of past cuts that are forecast again as they were known then, the share whose finish (cost) came at or
--   below what was forecast with a chance of 50, 80 and 95 %, of those whose day has come; the error is what was
--   missed, of what was said to be left, above 0 later (dearer).
-- edge cases: what has not ended by its forecast day is later and counts as a miss; a cost counts once the project
--   ended or spent more than the forecast; a forecast whose day is still ahead is open, whether its project ended or
--   not, so that early ends do not count alone; nothing due gives NULL; of now alone.
-- source: reference class of the organisation's own forecasts; Kaplan and Meier 1958 (censored outcomes).
WITH past AS (
    SELECT f.*, n.as_of AS today, f.topic = 'cost' AS is_cost FROM fact_forecast f
        JOIN dim_cut n ON n.cut_key = getvariable('cut') AND n.is_latest = 1 WHERE f.cut_key <> n.cut_key
), held AS (
    SELECT project_key, topic,
        CASE WHEN is_cost THEN p50_amount::DOUBLE ELSE (p50_date - as_of)::DOUBLE END AS p50,
        CASE WHEN is_cost THEN is_ended = 1 OR actual_amount > p50_amount ELSE p50_date <= today END AS due50,
        CASE WHEN is_cost THEN is_ended = 1 OR actual_amount > p80_amount ELSE p80_date <= today END AS due80,
        CASE WHEN is_cost THEN is_ended = 1 OR actual_amount > p95_amount ELSE p95_date <= today END AS due95,
        is_ended = 1 AND CASE WHEN is_cost THEN actual_amount <= p50_amount ELSE actual_date <= p50_date END AS held50,
        is_ended = 1 AND CASE WHEN is_cost THEN actual_amount <= p80_amount ELSE actual_date <= p80_date END AS held80,
        is_ended = 1 AND CASE WHEN is_cost THEN actual_amount <= p95_amount ELSE actual_date <= p95_date END AS held95,
        CASE WHEN is_cost THEN (actual_amount - p50_amount)::DOUBLE ELSE (actual_date - p50_date)::DOUBLE END AS missed,
        CASE WHEN is_cost THEN (p50_amount - start_amount)::DOUBLE ELSE (p50_date - as_of)::DOUBLE END AS said
    FROM past
), summed AS (
    SELECT project_key, topic, count(*) AS n, count(*) FILTER (due50)::DOUBLE AS p50_due,
        count(*) FILTER (due80)::DOUBLE AS p80_due, count(*) FILTER (due95)::DOUBLE AS p95_due,
        count(*) FILTER (due50 AND held50)::DOUBLE AS p50_held, count(*) FILTER (due80 AND held80)::DOUBLE AS p80_held,
        count(*) FILTER (due95 AND held95)::DOUBLE AS p95_held, sum(missed) FILTER (due50) AS missed,
        sum(said) FILTER (due50) AS said, count(*) FILTER (NOT coalesce(due80, false)) AS open
    FROM held GROUP BY ALL
)
SELECT project_key, topic, n, p50_held / nullif(p50_due, 0) AS p50, p80_held / nullif(p80_due, 0) AS p80,
    p95_held / nullif(p95_due, 0) AS p95, missed / nullif(said, 0) AS error, open, p50_held, p50_due, p80_held, p80_due,
    p95_held, p95_due, missed, said
FROM summed ORDER BY project_key, topic
