-- Pas de double compte | No double counting
-- scope: project
-- measures: counted days, naive days
-- captions: counted Référence comptée une fois (JH) | Baseline counted once (days); naive Référence, tous outils
--   additionnés (JH) | Baseline, all tools added up (days)
-- receipt: tasks
-- version: 2
-- definition: a plain SUM of baseline days is the project's total, however many tools report the same work (naive).
SELECT project_key, sum(baseline_days::DECIMAL(38, 12))::DOUBLE AS counted,
    sum(reported_days::DECIMAL(38, 12))::DOUBLE AS naive FROM fact_task_snapshot WHERE cut_key = getvariable('cut')
        GROUP BY 1
