-- Rates and currencies: the narrowest rate of the day counts; another currency needs the rate of its month.
CREATE TABLE fx AS
    WITH known AS (SELECT currency, month, per_eur FROM fx_rate WHERE counted)
    SELECT currency, month, per_eur FROM known
    UNION ALL SELECT DISTINCT 'EUR', month, 1.0 FROM known
        WHERE NOT EXISTS (SELECT 1 FROM known WHERE currency = 'EUR');
-- units of the feed's currency for one unit of another
CREATE TABLE exchange AS
    SELECT f.currency, f.month, h.per_eur / f.per_eur AS factor FROM fx f JOIN fx h ON h.month = f.month
        AND h.currency = getvariable('currency')
    WHERE f.currency <> getvariable('currency');
-- an amount in the feed's currency, by the rate of its month; NULL where that is not known
CREATE MACRO turned(minor, given, factor) AS
    CASE WHEN coalesce(given, getvariable('currency')) = getvariable('currency') THEN minor
        ELSE round(minor * factor) END;
CREATE TABLE day_rate AS
    SELECT scope, lower(scope_id) AS scope_id, valid_from::DATE AS valid_from, valid_to::DATE AS valid_to,
        minor_per_day, currency FROM rate WHERE counted;
CREATE TABLE budget_place AS
    SELECT b.*, coalesce(c.project_key, -1) AS project_key,
        CASE WHEN b.currency = getvariable('currency') THEN b.amount_minor
            ELSE round(b.amount_minor * x.factor)::BIGINT END AS amount,
        CASE WHEN NOT b.counted THEN b.presence
            WHEN b.currency <> getvariable('currency') AND x.factor IS NULL THEN 'no exchange rate for ' || b.currency
                || ' in ' || b.month END AS reason
    FROM budget_line b LEFT JOIN project_named c ON c.code = b.project_code
        LEFT JOIN exchange x ON x.currency = b.currency AND x.month = b.month;
