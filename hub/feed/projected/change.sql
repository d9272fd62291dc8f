-- Note what this publication brings of worked hours that are not cut yet, and what it gave of months that go on.
INSERT INTO was.change SELECT a.id, a.month, getvariable('night'), a.day > getvariable('day')
    FROM atom a ANTI JOIN was.block b USING (kind, project_key, month, category, rejected)
        LEFT JOIN was.last l ON l.id = a.id
    WHERE a.kind = 'worklog' AND (l.id IS NULL OR l.m1 IS DISTINCT FROM a.m1 OR l.m3 IS DISTINCT FROM a.m3);
DELETE FROM was.last;
INSERT INTO was.last SELECT id, month, m1, m3 FROM atom WHERE kind = 'worklog' AND month >= getvariable('open_month')
