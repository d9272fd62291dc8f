-- Délai / temps de cycle | Lead and cycle time
-- scope: task
-- measures: lead_days days, cycle_days days, active_days days, reopened count
-- receipt: intervals
-- definition: lead = last done − created; cycle = last done − first in progress; active = Σ time in progress, in
--   elapsed days.
-- edge cases: done is the start of the last uninterrupted run of done statuses; cancelled and reopened tasks are not
--   finished; no start gives NULL.
SELECT project_key, task_key, title, lead_days, cycle_days, active_days, reopened FROM kpi_lead ORDER BY task_key
