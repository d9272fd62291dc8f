-- of the working days of a week, each an even part
WITH week AS (
    SELECT c.*, strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE AS first_day,
        least(CASE WHEN c.grain = 'week' THEN c.week_start + 6 ELSE DATE '9999-12-31' END,
            last_day(strptime(c.date_key::VARCHAR, '%Y%m%d')::DATE)) AS last_day
    FROM fact_capacity_week c WHERE c.capacity_s > 0 AND c.person_key <> -1 AND getvariable('lines')
), day AS (
    SELECT w.person_key, w.date_key, w.capacity_s, w.first_day, w.last_day, isodow(d.date) AS dow
    FROM week w JOIN dim_date d ON d.date BETWEEN w.first_day AND w.last_day
        AND d.is_workday = 1
), told AS (
    SELECT person_key, date_key, first_day, last_day, count(DISTINCT dow) AS n, any_value(capacity_s) AS capacity_s,
        list_sort(list(DISTINCT dow)) AS dows FROM day GROUP BY ALL
)
SELECT own('capacity/' || person_key || '/' || date_key) AS id, person(told.person_key) AS account_id,
    first_day AS start_on, last_day AS finish_on,
    array_to_string([CASE WHEN list_contains(dows, one) THEN '1' ELSE '0' END FOR one IN range(1, 8)], '') AS weekdays,
    least(round(capacity_s / n), 86400)::BIGINT AS seconds
FROM told
