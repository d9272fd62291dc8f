-- Grain: one task and a working day between its dates: its work in equal parts, what is done first.
WITH day AS (
    SELECT t.*, coalesce(d.date, t.start) AS day, row_number() OVER (PARTITION BY t.task_key ORDER BY d.date) AS day_no,
        count(*) OVER (PARTITION BY t.task_key) AS days
    FROM (SELECT * REPLACE (coalesce(start, finish) AS start, coalesce(finish, start) AS finish) FROM pd_task
            WHERE coalesce(is_deleted, 0) = 0 AND coalesce(start, finish) IS NOT NULL
                AND coalesce(work, actual_work) IS NOT NULL) t
        LEFT JOIN pd_workday d ON d.date BETWEEN t.start AND t.finish
)
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('task', task_key) AS TaskId, day::TIMESTAMP AS TimeByDay,
    project_name AS ProjectName, title AS TaskName, is_active AS TaskIsActive, (work / days)::DECIMAL(18,6) AS TaskWork,
    pd_done(work, actual_work, day_no, days)::DECIMAL(18,6) AS TaskActualWork, pd_money(cost_amount / days) AS TaskCost,
    pd_money(pd_done(cost_amount, actual_cost_amount, day_no, days)) AS TaskActualCost
FROM day
