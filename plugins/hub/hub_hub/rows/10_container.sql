SELECT id, 'hub' AS kind, code, name, state IN ('closed', 'cancelled') AS archived, long AS seconds_per_day FROM home
