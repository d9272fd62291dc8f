-- Prévision de fin | Forecast of the finish
-- scope: project
-- measures: p50 duration, p80 duration, p95 duration, slip_p50 duration, slip_p80 duration, chance_baseline share,
--   chance_deadline share
-- captions: p50 Jours jusqu'à la fin prévue, une chance sur deux (P50) | Days to the forecast finish, even chance
--   (P50); p80 Jours jusqu'à la fin prévue, huit chances sur dix (P80) | Days to the forecast finish, eight in ten
--   (P80); p95 Jours jusqu'à la fin prévue, dix-neuf chances sur vingt (P95) | Days to the forecast finish, nineteen in
--   twenty (P95); slip_p50 Retard prévu sur la référence (P50, jours) | Forecast slip against the baseline (P50, days);
--   slip_p80 Retard prévu sur la référence (P80, jours) | Forecast slip against the baseline (P80, days);
--   chance_baseline Chance de tenir la fin de référence | Chance to meet the baseline finish; chance_deadline Chance de
--   tenir la date limite | Chance to meet the deadline
-- headline: slip_p80
-- method: method
-- receipt: forecasts, history, drivers
-- definition: calendar days from the day of the feed to the day by which all open work of a project is done with a
--   chance of 50, 80 and 95 %, from the pace of finished items, from the plan with the errors that finished tasks
--   showed against their baselines, or from both; widened by how far off earlier forecasts were.
-- edge cases: of now alone, closed cuts have none; a project where work comes in as fast as it goes out has no date; a
--   project without open work, or with too little history and no planned dates, has no row; of several projects there
--   is no sum.
-- source: Vacanti (flow), Kerzner and Vose (schedule risk), Kaplan and Meier 1958, Lei 2018 (conformal prediction).
SELECT f.project_key, (f.p50_date - f.as_of)::DOUBLE AS p50, (f.p80_date - f.as_of)::DOUBLE AS p80,
    (f.p95_date - f.as_of)::DOUBLE AS p95, (f.p50_date - f.target_date)::DOUBLE AS slip_p50,
    (f.p80_date - f.target_date)::DOUBLE AS slip_p80, f.chance_target AS chance_baseline,
    f.chance_limit AS chance_deadline,
    f.method || CASE WHEN f.is_record_thin = 1 THEN ', thin record' ELSE '' END AS method
FROM fact_forecast f JOIN dim_cut c USING (cut_key)
WHERE f.topic = 'finish' AND f.cut_key = getvariable('cut') AND c.is_latest = 1
