-- Grain: one project, person, task or sprint, and one project and team of rows that it has in the facts beside its own;
-- the facts that there are say it, see hub/feed/access.py.
SELECT * FROM access_row
