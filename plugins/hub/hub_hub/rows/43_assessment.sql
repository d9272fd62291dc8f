SELECT own('said/' || c.identity || '/' || a.axis) AS id, whole(a.project_key) AS project_code,
    getvariable('cut_day') AS day, a.axis, a.rag, a.trend, nullif(a.comment, '') AS comment,
    nullif(a.author_label, '') AS author, a.commentary
FROM fact_assessment a JOIN called c USING (project_key) WHERE a.cut_key = getvariable('cut')
