-- Grain: one cut: the measure at its last period; values of two definitions are not compared.
SELECT c.label, c.as_of, k.period, k.value, k.method_version
FROM fact_kpi k JOIN dim_cut c ON c.cut_key = k.cut_key
WHERE k.kpi = ? AND k.measure = ? AND k.scope_kind = ? AND k.scope_key = ? AND k.is_last_period = 1
ORDER BY c.ordinal DESC, k.period DESC
