-- Matrice d'exploitabilité | Operability readiness
-- scope: project
-- measures: ok count, required count, readiness share = ok / required, gate_open flag
-- captions: ok Points de contrôle validés | Checklist items passed; required Points de contrôle exigés | Checklist
--   items required; readiness Exploitabilité | Readiness; gate_open Passage autorisé | Gate open
-- headline: readiness
-- receipt: checklist
-- definition: mandatory lines that are ok, of those that apply; the gate opens when all are.
-- edge cases: an empty list gives NULL and a closed gate.
SELECT d.project_key, count(c.item_id) FILTER (c.state = 'ok') AS ok, count(c.item_id) AS required,
    count(c.item_id) FILTER (c.state = 'ok')::DOUBLE / nullif(count(c.item_id), 0) AS readiness,
    (count(c.item_id) > 0 AND count(c.item_id) FILTER (c.state <> 'ok') = 0)::INTEGER AS gate_open
FROM dim_project d LEFT JOIN fact_checklist c ON c.project_key = d.project_key AND c.cut_key = getvariable('cut')
    AND c.is_mandatory = 1 AND c.state <> 'na'
GROUP BY 1
