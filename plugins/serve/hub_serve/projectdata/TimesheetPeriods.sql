-- Grain: one period in which hours were entered: an ISO week, or a month where only that is told.
SELECT DISTINCT pd_period(first, last) AS PeriodId, first::TIMESTAMP AS StartDate,
    (last::TIMESTAMP + INTERVAL 86399 SECONDS) AS EndDate, strftime(first, '%Y-%m-%d') AS PeriodName
FROM pd_line
