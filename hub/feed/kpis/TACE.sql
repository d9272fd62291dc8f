-- Taux d'activité congés exclus | Billable utilisation
-- scope: person
-- period: month
-- measures: tace share = billable_days / available_days
-- captions: tace Taux d'activité congés exclus (TACE) | Billable utilisation; available_days Jours disponibles |
--   Available days; billable_days Jours facturables | Billable days
-- rollup: team | sum(billable_days) / nullif(sum(available_days), 0) AS tace, sum(billable_days) AS billable_days,
--   sum(available_days) AS available_days
-- headline: tace
-- receipt: worklogs
-- version: 2
-- definition: billable days / (working days − absence days) of the month, up to the day of the cut.
-- edge cases: hours of several days count on the working days among them; rejected lines are ignored; a denominator at
--   or below 0 gives NULL; persons never leave the hub, teams do.
-- source: help.whoz.com TACE.
WITH wd AS (SELECT year_month AS month, count(*) FILTER (is_workday = 1) AS days FROM dim_date
    WHERE date <= getvariable('as_of') GROUP BY 1),
w AS (
    SELECT person_key, strftime(work_date, '%Y-%m') AS month,
        coalesce(sum(days::DECIMAL(38, 12)) FILTER (category = 'project' AND is_billable = 1),
            0)::DOUBLE AS billable_days,
        coalesce(sum(days::DECIMAL(38, 12)) FILTER (category = 'absence'), 0)::DOUBLE AS absent
    FROM fact_worklog WHERE approval IS DISTINCT FROM 'rejected' AND work_date <= getvariable('as_of')
        AND person_key <> -1 GROUP BY ALL
)
SELECT w.person_key, p.person_label, p.team, w.month, w.billable_days,
    greatest(wd.days - w.absent, 0) AS available_days,
    CASE WHEN wd.days - w.absent > 1e-9 THEN w.billable_days / (wd.days - w.absent) END AS tace
FROM w JOIN wd USING (month) JOIN dim_person p USING (person_key) ORDER BY month, person_label
