-- where the other hub has rates its amounts are made of them: the group values the effort by its own
SELECT own(w.task_id) || '/baseline' AS id, own(w.task_id) AS task_id, w.baseline_start AS start_on,
    w.baseline_finish AS finish_on, round(w.baseline_days * w.long)::BIGINT AS effort_s,
    CASE WHEN NOT getvariable('rated') THEN minor(w.baseline_amount) END AS cost_minor,
    CASE WHEN NOT getvariable('rated') AND w.baseline_amount IS NOT NULL THEN getvariable('currency') END AS currency
FROM work w WHERE coalesce(w.baseline_start, w.baseline_finish) IS NOT NULL OR w.baseline_days IS NOT NULL
