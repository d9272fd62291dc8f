SELECT own('iteration/' || iteration_key) AS id, name, state, stamp(start_date::TIMESTAMP) AS start_at,
    stamp(finish_date::TIMESTAMP) AS finish_at
FROM dim_iteration WHERE iteration_key <> -1
