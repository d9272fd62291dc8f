-- Exposition aux risques | Risk exposure
-- scope: project
-- measures: open_risks count, expected_exposure amount, top_score score, overdue_actions count
-- captions: open_risks Risques ouverts | Open risks; expected_exposure Exposition attendue | Expected exposure;
--   top_score Plus forte criticité | Highest criticality; overdue_actions Actions en retard | Overdue actions
-- headline: expected_exposure
-- receipt: register
-- version: 2
-- definition: Σ probability × amount over open risks; top score = largest probability × impact; actions open after
--   their date.
-- edge cases: a risk without an amount or a probability is counted only; open risks of which none has both give NULL;
--   no open risk gives 0.
SELECT d.project_key, count(r.item_id) FILTER (r.kind = 'risk') AS open_risks,
    CASE WHEN count(r.item_id) FILTER (r.kind = 'risk') = 0 THEN 0
        ELSE sum((r.probability * r.exposure_amount)::DECIMAL(38,
            12)) FILTER (r.kind = 'risk')::DOUBLE END AS expected_exposure,
    max(r.probability * r.impact) FILTER (r.kind = 'risk') AS top_score,
    count(r.item_id) FILTER (r.kind = 'action' AND r.due_date < getvariable('as_of')) AS overdue_actions
FROM dim_project d LEFT JOIN fact_register r ON r.project_key = d.project_key AND r.cut_key = getvariable('cut')
    AND r.state = 'open'
GROUP BY 1
