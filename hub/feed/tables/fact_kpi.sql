-- Grain: one measure of one KPI for one scope and period at one cut; filled from the KPI catalogue, which
-- hub/feed/kpis holds.
SELECT * FROM kpi_row
