-- Grain: one task at one cut: those that count, and deleted ones that stay in their baseline, cancelled and with
-- nothing else. Effort counts where the container is the project's authority for it, own effort only. An amount in
-- another currency is turned at the rate of the cut's month.
WITH parents AS (SELECT DISTINCT parent_id AS id FROM task WHERE counted AND parent_id IS NOT NULL),
seen AS (
    SELECT t.*, CASE WHEN t.counted THEN k.status_key ELSE 4 END AS status_key,
        coalesce(p.project_key, -1) AS project_key, coalesce(o.person_key, -1) AS person_key,
        coalesce(i.key, -1) AS iteration_key,
        t.counted AND coalesce(p.effort, true) AS effort, coalesce(p.baseline, true) AS baseline, t.counted
            AND coalesce(p.flow, true) AS flow,
        coalesce(p.seconds_per_day, s.seconds_per_day) AS per_day, b.start_on, b.finish_on, b.effort_s,
        b.no AS baseline_no,
        turned(b.cost_minor, b.currency, y.factor) AS base_cost_minor,
        x.factor,
        parents.id IS NULL AND t.kind <> 'summary' AS is_leaf, z.minor_per_day
    FROM task t JOIN source s ON s.id = t.source_id JOIN task_status k ON k.task_id = t.id
        LEFT JOIN task_place p ON p.task_id = t.id
        LEFT JOIN person_of o ON o.account_id = t.assignee_id LEFT JOIN iteration i ON i.id = t.iteration_id
        LEFT JOIN task_baseline b ON b.task_id = t.id LEFT JOIN parents ON parents.id = t.id
        LEFT JOIN priced z ON z.person_key = coalesce(o.person_key, -1) AND z.project_key = coalesce(p.project_key, -1)
            AND z.day = getvariable('as_of_day')::DATE
        LEFT JOIN exchange x ON x.currency = t.currency AND x.month = left(getvariable('as_of_day'), 7)
        LEFT JOIN exchange y ON y.currency = b.currency AND y.month = left(getvariable('as_of_day'), 7)
    WHERE t.counted OR t.id IN (SELECT task_id FROM task_kept)
)
SELECT getvariable('cut_key') AS cut_key, key AS task_key, project_key, status_key, person_key, iteration_key,
    start_on::DATE AS baseline_start, finish_on::DATE AS baseline_finish,
    CASE WHEN counted THEN planned_start_on::DATE END AS planned_start,
    CASE WHEN counted THEN coalesce(planned_finish_on, due_on)::DATE END AS planned_finish,
    CASE WHEN counted THEN actual_start_on::DATE END AS actual_start,
    CASE WHEN counted THEN actual_finish_on::DATE END AS actual_finish, CASE WHEN counted THEN percent END AS percent,
    CASE WHEN baseline THEN effort_s / per_day END AS baseline_days,
    CASE WHEN NOT baseline THEN NULL WHEN base_cost_minor IS NOT NULL THEN base_cost_minor / 100.0
        ELSE round(effort_s / per_day * minor_per_day) / 100.0 END AS baseline_amount,
    CASE WHEN effort THEN estimate_s / per_day END AS estimate_days,
    CASE WHEN effort THEN spent_s / per_day END AS spent_days,
    CASE WHEN effort THEN remaining_s / per_day END AS remaining_days,
    CASE WHEN effort THEN round(remaining_s / per_day * minor_per_day) / 100.0 END AS remaining_amount,
    CASE WHEN flow AND kind <> 'summary' THEN points END AS points,
    -- a summary's costs are those of its tasks
    CASE WHEN effort AND kind <> 'summary' THEN turned(cost_minor, currency, factor) / 100.0 END AS cost_amount,
    CASE WHEN effort AND kind <> 'summary' THEN turned(actual_cost_minor, currency, factor) / 100.0 END
        AS actual_cost_amount,
    CASE WHEN effort AND kind <> 'summary' THEN turned(remaining_cost_minor, currency, factor) / 100.0 END
        AS remaining_cost_amount,
    CASE WHEN counted THEN coalesce(actual_finish_on, planned_finish_on, due_on)::DATE - deadline_on::DATE END
        AS deadline_slip_days, CASE WHEN counted THEN total_slack_s / per_day END AS total_slack_days,
    CASE WHEN counted THEN is_critical END AS is_critical, baseline_no,
    (effort AND (is_leaf OR coalesce(estimate_s, spent_s, remaining_s) IS NOT NULL))::INTEGER AS is_effort_counted,
    (baseline AND (is_leaf OR coalesce(effort_s, 0) > 0))::INTEGER AS is_baseline_counted,
    CASE WHEN counted THEN estimate_s / per_day END AS reported_days
FROM seen
