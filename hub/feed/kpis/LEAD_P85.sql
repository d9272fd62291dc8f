-- Délai médian et P85 | Median and 85th percentile of lead time
-- scope: project
-- measures: n count, median duration, p85 duration
-- captions: n Tâches terminées mesurées | Finished tasks measured; median Délai médian (jours) | Median lead time
--   (days); p85 Délai P85 (jours) | P85 lead time (days)
-- headline: p85
-- method: method
-- receipt: intervals
-- definition: median = mean of the two middle values; P85 = nearest rank, ceil(0.85 n).
-- edge cases: below five tasks the points tell more than a percentile; the method says so.
WITH r AS (SELECT project_key, list_sort(list(lead_days)) AS days, count(*) AS n FROM kpi_lead
    WHERE lead_days IS NOT NULL GROUP BY 1)
SELECT project_key, n, (days[(n + 1) // 2] + days[(n + 2) // 2]) / 2 AS median, days[(85 * n + 99) // 100] AS p85,
    CASE WHEN n < 5 THEN 'fewer than 5 tasks: look at the points' END AS method
FROM r
