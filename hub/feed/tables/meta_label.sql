-- Grain: one caption of a table or column in one language.
SELECT * FROM label
