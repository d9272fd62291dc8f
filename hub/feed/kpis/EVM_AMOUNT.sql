-- Valeur acquise (montant) | Earned value (money)
-- scope: project
-- measures: bac amount, pv amount, ev amount, ac amount, sv amount, cv amount, spi ratio = ev / pv, cpi ratio = ev /
--   ac, eac_cpi amount, etc_cpi amount, vac_cpi amount, tcpi_bac ratio, raf amount, eac_raf amount, vac_raf amount
-- captions: bac Budget à achèvement (BAC, montant) | Budget at completion (BAC, amount); pv Valeur planifiée (PV,
--   montant) | Planned value (PV, amount); ev Valeur acquise (EV, montant) | Earned value (EV, amount); ac Coût réel
--   (AC, montant) | Actual cost (AC, amount); sv Écart de délai (SV, montant) | Schedule variance (SV, amount); cv
--   Écart de coût (CV, montant) | Cost variance (CV, amount); spi Indice de délai (SPI, montant) | Schedule index
--   (SPI, amount); cpi Indice de coût (CPI, montant) | Cost index (CPI, amount); eac_cpi Coût final par le CPI (EAC,
--   montant) | Estimate at completion by CPI (EAC, amount); etc_cpi Reste par le CPI (ETC, montant) | Estimate to
--   complete by CPI (ETC, amount); vac_cpi Écart final par le CPI (VAC, montant) | Variance at completion by CPI (VAC,
--   amount); tcpi_bac Indice de coût requis (TCPI, montant) | To-complete cost index (TCPI, amount); raf Reste à faire
--   de la valeur acquise (montant) | To do of earned value (amount); eac_raf Coût final par le reste à faire (montant)
--   | Estimate at completion by work to do (amount); vac_raf Écart final par le reste à faire (montant) | Variance at
--   completion by work to do (amount)
-- compared: ac to ev
-- headline: cpi
-- coverage: coverage
-- receipt: tasks, worklogs
-- version: 3
-- definition: PV = Σ BAC × elapsed / total working days of the baseline; EV = Σ BAC × done share; AC = Σ hours worked;
--   CPI = EV / AC; SPI = EV / PV; EAC = BAC / CPI (AC + BAC − EV where EV or AC is 0); ETC = EAC − AC; VAC = BAC − EAC;
--   TCPI = (BAC − EV) / (BAC − AC).
-- edge cases: no baseline gives NULL and coverage 0, never 0 or 1; an index is NULL only when its own denominator is 0;
--   a cancelled task earns nothing and stays in BAC until an approved rebaseline, and so does one that was deleted;
--   without any task whose effort counts RAF is NULL; rejected lines, absence and internal time are not in AC, time
--   without a task is; AC of several projects is of those that have EV, as their CPI is.
-- source: earned value management (EIA-748, PMBOK), secondary sources; ETC is EAC − AC.
WITH p AS (
    SELECT project_key, sum(baseline_amount::DECIMAL(38, 12))::DOUBLE AS bac,
        sum((baseline_amount * planned_share)::DECIMAL(38, 12))::DOUBLE AS pv,
        sum((baseline_amount * earned_share)::DECIMAL(38, 12))::DOUBLE AS ev,
        count(baseline_amount)::DOUBLE / count(*) AS coverage
    FROM kpi_task WHERE in_baseline GROUP BY 1
), a AS (SELECT project_key, sum(amount::DECIMAL(38, 12))::DOUBLE AS ac FROM kpi_work GROUP BY 1
), x AS (
    SELECT d.project_key, p.bac, p.pv, p.ev, coalesce(a.ac, 0) AS ac, coalesce(p.coverage, 0) AS coverage,
        CASE WHEN l.amount_missing = 0 THEN l.amount_known END AS raf
    FROM dim_project d LEFT JOIN p USING (project_key) LEFT JOIN a USING (project_key)
        LEFT JOIN kpi_left l USING (project_key)
), y AS (SELECT *, CASE WHEN ev > 1e-9 AND ac > 1e-9 THEN bac * ac / ev ELSE ac + (bac - ev) END AS eac FROM x)
SELECT project_key, bac, pv, ev, ac, ev - pv AS sv, ev - ac AS cv, CASE WHEN abs(pv) > 1e-9 THEN ev / pv END AS spi,
    CASE WHEN abs(ac) > 1e-9 THEN ev / ac END AS cpi, eac AS eac_cpi, eac - ac AS etc_cpi, bac - eac AS vac_cpi,
    CASE WHEN abs(bac - ac) > 1e-9 THEN (bac - ev) / (bac - ac) END AS tcpi_bac, raf, ac + raf AS eac_raf,
    bac - (ac + raf) AS vac_raf, coverage
FROM y
