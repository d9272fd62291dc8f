-- Grain: one forecast of a project's finish or cost, as known now or at a past cut; filled by hub/feed/forecast.
SELECT * FROM forecast_row
