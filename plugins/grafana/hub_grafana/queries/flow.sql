-- Grain: one project at the cut: how long its work takes, what is asked of it, and whether it may go live.
SELECT p.code AS code, p.name AS name,
    max(k.value) FILTER (WHERE k.kpi = 'LEAD_P85' AND k.measure = 'n') AS "LEAD_P85 n",
    max(k.value) FILTER (WHERE k.kpi = 'LEAD_P85' AND k.measure = 'median') AS "LEAD_P85 median",
    max(k.value) FILTER (WHERE k.kpi = 'LEAD_P85' AND k.measure = 'p85') AS "LEAD_P85 p85",
    max(k.value) FILTER (WHERE k.kpi = 'DEFECT_VS_CHANGE' AND k.measure = 'anomalies') AS "DEFECT_VS_CHANGE anomalies",
    max(k.value) FILTER (WHERE k.kpi = 'DEFECT_VS_CHANGE' AND k.measure = 'evolutions')
        AS "DEFECT_VS_CHANGE evolutions",
    max(k.value) FILTER (WHERE k.kpi = 'DEFECT_VS_CHANGE' AND k.measure = 'anomaly_share')
        AS "DEFECT_VS_CHANGE anomaly_share",
    max(k.value) FILTER (WHERE k.kpi = 'READINESS' AND k.measure = 'readiness') AS "READINESS readiness"
FROM feed.fact_kpi k JOIN feed.dim_project p ON p.project_key = k.project_key
WHERE k.cut_key = ${cut:sqlstring} AND k.is_last_period = 1 AND k.scope_kind = 'project'
    AND k.kpi IN ('LEAD_P85', 'DEFECT_VS_CHANGE', 'READINESS') AND k.project_key <> -1
    AND k.project_key::text IN (${project:sqlstring})
GROUP BY p.project_key, p.code, p.name ORDER BY p.code
