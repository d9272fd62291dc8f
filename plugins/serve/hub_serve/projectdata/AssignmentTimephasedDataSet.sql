-- Grain: one assignment and a working day between its dates: its work in equal parts, what is done first.
WITH day AS (
    SELECT a.*, coalesce(d.date, a.start) AS day,
        row_number() OVER (PARTITION BY a.assignment_id ORDER BY d.date) AS day_no,
        count(*) OVER (PARTITION BY a.assignment_id) AS days
    FROM pd_assignment a LEFT JOIN pd_workday d ON d.date BETWEEN a.start AND a.finish
    WHERE a.start IS NOT NULL AND coalesce(a.work, a.actual_work) IS NOT NULL
), part AS (
    SELECT *, work / days AS day_work, pd_done(work, actual_work, day_no, days) AS day_done,
        cost_amount / days AS day_cost,
        pd_done(cost_amount, actual_cost_amount, day_no, days) AS day_spent
    FROM day
)
SELECT pd_guid('project', project_key) AS ProjectId, pd_guid('assignment', assignment_id) AS AssignmentId,
    day::TIMESTAMP AS TimeByDay, pd_task_id(task_key) AS TaskId, pd_guid('resource', person_key) AS ResourceId,
    project_name AS ProjectName, title AS TaskName, coalesce(is_active, true) AS TaskIsActive,
    day_work::DECIMAL(18,6) AS AssignmentWork, day_done::DECIMAL(18,6) AS AssignmentActualWork,
    greatest(0, day_work - day_done)::DECIMAL(18,6) AS AssignmentRemainingWork,
    day_work::DECIMAL(18,6) AS AssignmentCombinedWork, pd_money(day_cost) AS AssignmentCost,
    pd_money(day_spent) AS AssignmentActualCost, pd_money(greatest(0, day_cost - day_spent)) AS AssignmentRemainingCost
FROM part
