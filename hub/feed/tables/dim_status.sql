-- Grain: one normalised category.
SELECT * FROM (VALUES (-1, 'unknown', 0, 'Inconnu', 'Unknown'), (1, 'todo', 1, 'À faire', 'To do'),
    (2, 'in_progress', 2, 'En cours', 'In progress'), (3, 'done', 3, 'Terminé', 'Done'),
    (4, 'cancelled', 4, 'Abandonné', 'Cancelled')) AS t (status_key, category, sort_order, label_fr, label_en)
