-- Grain: what the committee said of a project on one axis, the last word at or before the cut.
SELECT getvariable('cut_key') AS cut_key, c.project_key, a.axis, arg_max(a.rag, a.day) AS rag,
    arg_max(a.trend, a.day) AS trend,
    arg_max(coalesce(a.comment, ''), a.day) AS comment, arg_max(coalesce(a.author, ''), a.day) AS author_label,
    nullif(arg_max(coalesce(a.commentary, ''), a.day), '') AS commentary
FROM assessment a JOIN project_named c ON c.code = a.project_code
WHERE a.counted AND a.day <= getvariable('as_of_day') GROUP BY ALL
