-- Adoption de l'outil | Tool adoption
-- scope: source
-- period: year_month
-- measures: adoption share = n_active / n_accounts
-- captions: adoption Taux d'adoption | Adoption
-- headline: adoption
-- receipt: sources
-- definition: accounts that did something in the month / accounts that could have.
-- edge cases: robots and disabled accounts are left out.
SELECT f.source_key, s.name, f.year_month, f.n_active::DOUBLE / nullif(f.n_accounts, 0) AS adoption, f.n_active,
    f.n_accounts
FROM fact_adoption f JOIN dim_source s USING (source_key) WHERE f.year_month <= strftime(getvariable('as_of'), '%Y-%m')
    ORDER BY year_month, name
