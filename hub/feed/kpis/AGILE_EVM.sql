-- Valeur acquise agile | Agile earned value
-- scope: project
-- measures: ppc share, apc share, pv amount, ev amount, ac amount, cpi ratio = ev / ac, spi ratio, eac amount
-- captions: ppc Sprints planifiés faits (PPC) | Planned sprints done (PPC); apc Points faits (APC) | Points done
--   (APC); pv Valeur planifiée agile (PV) | Agile planned value (PV); ev Valeur acquise agile (EV) | Agile earned
--   value (EV); ac Coût réel agile (AC) | Agile actual cost (AC); cpi Indice de coût agile (CPI) | Agile cost index
--   (CPI); spi Indice de délai agile (SPI) | Agile schedule index (SPI); eac Coût final agile (EAC) | Agile estimate
--   at completion (EAC)
-- headline: cpi
-- coverage: coverage
-- receipt: iterations, worklogs
-- version: 2
-- definition: PPC = sprints finished / planned; APC = points done / scope; PV and EV are those shares of the labour
--   budget; CPI = EV / AC; SPI = APC / PPC.
-- edge cases: the latest project snapshot at or before the cut; epics carry no points; EV or AC of 0 behave as in EVM;
--   coverage is the share of stories with points; labour is what budgets call so in French or English, as in LANDING.
-- source: solutionsiq.com, infoq.com/articles/agile-evm.
WITH i AS (
    SELECT project_key, count(*) FILTER (finish_date <= getvariable('as_of'))::DOUBLE / count(*) AS ppc
    FROM dim_iteration WHERE iteration_key <> -1 GROUP BY 1
), s AS (
    SELECT project_key, arg_max(points_done, date_key) / nullif(arg_max(points_scope, date_key), 0) AS apc
    FROM fact_project_snapshot
    WHERE date_key <= strftime(getvariable('as_of'), '%Y%m%d')::BIGINT AND points_scope IS NOT NULL GROUP BY 1
), b AS (SELECT project_key, sum(baseline_amount)::DOUBLE AS bac FROM fact_budget WHERE cut_key = getvariable('cut')
    AND is_labour(category) GROUP BY 1
), a AS (SELECT project_key, sum(amount)::DOUBLE AS ac FROM kpi_work GROUP BY 1
), c AS (
    SELECT project_key, count(points)::DOUBLE / nullif(count(*), 0) AS coverage FROM kpi_task
    WHERE kind = 'work' AND iteration_key <> -1 AND category <> 'cancelled' GROUP BY 1
), x AS (
    SELECT i.project_key, ppc, apc, bac, ppc * bac AS pv, apc * bac AS ev, coalesce(ac, 0) AS ac, c.coverage
    FROM i LEFT JOIN s USING (project_key) LEFT JOIN b USING (project_key) LEFT JOIN a USING (project_key)
        LEFT JOIN c USING (project_key)
)
SELECT project_key, ppc, apc, pv, ev, ac, CASE WHEN abs(ac) > 1e-9 THEN ev / ac END AS cpi,
    CASE WHEN abs(ppc) > 1e-9 THEN apc / ppc END AS spi,
    CASE WHEN ev > 1e-9 AND ac > 1e-9 THEN bac * ac / ev ELSE ac + (bac - ev) END AS eac, coverage
FROM x
