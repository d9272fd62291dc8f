-- Grain: one project. Work is that of its tasks, actual work the hours of its timesheets, rejected ones and absence
-- left out; costs are what the plans say, and where they say none the earned value's (EVM_AMOUNT).
WITH task AS (
    SELECT project_key, min(start) FILTER (is_active) AS start, max(finish) FILTER (is_active) AS finish,
        min(actual_start) AS actual_start,
        CASE WHEN bool_and(NOT is_open OR kind = 'summary') THEN max(actual_finish) END AS actual_finish,
        min(baseline_start) AS baseline_start, max(baseline_finish) AS baseline_finish,
        sum(work) FILTER (is_active) AS work, sum(remaining_work) AS remaining_work,
            sum(baseline_work) AS baseline_work,
        max(per_day) AS per_day, min(created_at) AS created_at
    FROM pd_task GROUP BY project_key
), logged AS (
    SELECT project_key, pd_work(sum(seconds)) AS work FROM fact_worklog
    WHERE category <> 'absence' AND approval IS DISTINCT FROM 'rejected' GROUP BY project_key
), kpi AS (
    SELECT project_key, kpi || '.' || measure AS name, value FROM fact_kpi
    WHERE cut_key = 0 AND scope_kind = 'project' AND is_last_period = 1
), figure AS (
    SELECT project_key, max(value) FILTER (name = 'EVM_AMOUNT.bac') AS bac,
        max(value) FILTER (name = 'EVM_AMOUNT.pv') AS pv,
        max(value) FILTER (name = 'EVM_AMOUNT.ev') AS ev, max(value) FILTER (name = 'EVM_AMOUNT.ac') AS ac,
        max(value) FILTER (name = 'EVM_AMOUNT.sv') AS sv, max(value) FILTER (name = 'EVM_AMOUNT.cv') AS cv,
        max(value) FILTER (name = 'EVM_AMOUNT.spi') AS spi, max(value) FILTER (name = 'EVM_AMOUNT.cpi') AS cpi,
        max(value) FILTER (name = 'EVM_AMOUNT.eac_cpi') AS eac,
            max(value) FILTER (name = 'EVM_AMOUNT.vac_cpi') AS vac,
        max(value) FILTER (name = 'EVM_AMOUNT.tcpi_bac') AS tcpi,
            max(value) FILTER (name = 'EVM_AMOUNT.raf') AS left_over,
        max(value) FILTER (name = 'EVM_AMOUNT.eac_raf') AS landing,
            max(value) FILTER (name = 'COST_PLAN.planned') AS planned,
        max(value) FILTER (name = 'COST_PLAN.actual') AS actual,
            max(value) FILTER (name = 'COST_PLAN.remaining') AS remaining,
        max(value) FILTER (name = 'COST_PLAN.variance') AS variance,
            max(value) FILTER (name = 'LANDING.budget') AS budget,
        max(value) FILTER (name = 'RAF.avancement') AS spent_share,
        max(value) FILTER (name = 'EVM_DAYS.ev') / nullif(max(value) FILTER (name = 'EVM_DAYS.bac'), 0) AS done_share
    FROM kpi GROUP BY project_key
), manager AS (SELECT person_label, min(person_key) AS person_key FROM dim_person GROUP BY person_label
    HAVING count(*) = 1)
SELECT pd_guid('project', p.project_key) AS ProjectId, p.name AS ProjectName, p.name AS ProjectTitle,
    p.code AS ProjectIdentifier, p.manager AS ProjectOwnerName, p.manager AS ProjectManagerName,
    pd_guid('resource', m.person_key) AS ProjectOwnerId, p.currency AS ProjectCurrency, 0::INTEGER AS ProjectType,
    p.customer AS ProjectCompanyName, p.program AS ProjectCategoryName,
    t.start::TIMESTAMP AS ProjectStartDate, t.finish::TIMESTAMP AS ProjectFinishDate,
    t.actual_start::TIMESTAMP AS ProjectActualStartDate, t.actual_finish::TIMESTAMP AS ProjectActualFinishDate,
    t.created_at::TIMESTAMP AS ProjectCreatedDate, getvariable('pd_moment')::TIMESTAMP AS ProjectModifiedDate,
    getvariable('pd_moment')::TIMESTAMP AS ProjectLastPublishedDate,
    (SELECT as_of::TIMESTAMP FROM dim_cut WHERE cut_key = 0) AS ProjectStatusDate,
    t.work::DECIMAL(18,6) AS ProjectWork, l.work AS ProjectActualWork,
    t.remaining_work::DECIMAL(18,6) AS ProjectRemainingWork,
    (t.work - t.baseline_work)::DECIMAL(18,6) AS ProjectWorkVariance,
    round(100 * f.done_share)::SMALLINT AS ProjectPercentCompleted,
    round(100 * f.spent_share)::SMALLINT AS ProjectPercentWorkCompleted,
    pd_hours(pd_between(t.start, t.finish) + 1, t.per_day) AS ProjectDuration,
    pd_hours(pd_between(t.actual_start, least(coalesce(t.actual_finish, c.as_of), t.finish)) + 1, t.per_day)
        AS ProjectActualDuration,
    pd_hours(greatest(0, pd_between(greatest(t.start, c.as_of), t.finish)), t.per_day) AS ProjectRemainingDuration,
    pd_hours(pd_between(t.start, t.finish) - pd_between(t.baseline_start, t.baseline_finish), t.per_day)
        AS ProjectDurationVariance,
    pd_hours(pd_between(t.baseline_start, t.start), t.per_day) AS ProjectStartVariance,
    pd_hours(pd_between(t.baseline_finish, t.finish), t.per_day) AS ProjectFinishVariance,
    pd_money(CASE WHEN f.planned IS NULL THEN f.landing ELSE f.planned END) AS ProjectCost,
    pd_money(CASE WHEN f.planned IS NULL THEN f.ac ELSE f.actual END) AS ProjectActualCost,
    pd_money(CASE WHEN f.planned IS NULL THEN f.left_over ELSE f.remaining END) AS ProjectRemainingCost,
    pd_money(CASE WHEN f.planned IS NULL THEN f.landing - f.bac ELSE f.variance END) AS ProjectCostVariance,
    pd_money(f.budget) AS ProjectBudgetCost, pd_money(f.ac) AS ProjectACWP, pd_money(f.ev) AS ProjectBCWP,
    pd_money(f.pv) AS ProjectBCWS, pd_money(f.cv) AS ProjectCV, pd_money(f.sv) AS ProjectSV,
    pd_money(100 * f.cv / nullif(f.ev, 0)) AS ProjectCVP, pd_money(100 * f.sv / nullif(f.pv, 0)) AS ProjectSVP,
    pd_money(f.cpi) AS ProjectCPI, pd_money(f.spi) AS ProjectSPI, pd_money(f.eac) AS ProjectEAC,
    pd_money(f.vac) AS ProjectVAC, pd_money(f.tcpi) AS ProjectTCPI
FROM dim_project p CROSS JOIN (SELECT as_of FROM dim_cut WHERE cut_key = 0) c
    LEFT JOIN task t ON t.project_key = p.project_key LEFT JOIN logged l ON l.project_key = p.project_key
    LEFT JOIN figure f ON f.project_key = p.project_key LEFT JOIN manager m ON m.person_label = p.manager
-- what belongs to no project stands here where anything does
WHERE p.project_key <> -1 OR -1 IN (SELECT project_key FROM fact_worklog UNION ALL
    SELECT project_key FROM fact_task_snapshot WHERE cut_key = 0
        UNION ALL SELECT project_key FROM fact_assignment UNION ALL
    SELECT project_key FROM fact_allocation_week UNION ALL SELECT project_key FROM fact_register WHERE cut_key = 0)
