-- Grain: one row: the whole portfolio's figures, whatever projects are chosen.
SELECT max(value) FILTER (WHERE kpi = 'RAF' AND measure = 'avancement') AS "RAF avancement",
    max(value) FILTER (WHERE kpi = 'RAF' AND measure = 'consomme') AS "RAF consomme",
    max(value) FILTER (WHERE kpi = 'RAF' AND measure = 'raf') AS "RAF raf",
    max(value) FILTER (WHERE kpi = 'EVM_DAYS' AND measure = 'cpi') AS "EVM_DAYS cpi",
    max(value) FILTER (WHERE kpi = 'EVM_DAYS' AND measure = 'spi') AS "EVM_DAYS spi",
    max(value) FILTER (WHERE kpi = 'LANDING' AND measure = 'landing') AS "LANDING landing",
    max(value) FILTER (WHERE kpi = 'LANDING' AND measure = 'variance') AS "LANDING variance",
    max(value) FILTER (WHERE kpi = 'RISK' AND measure = 'expected_exposure') AS "RISK expected_exposure"
FROM feed.fact_kpi
WHERE cut_key = ${cut:sqlstring} AND is_last_period = 1 AND scope_kind = 'portfolio' AND scope_label = '*'
