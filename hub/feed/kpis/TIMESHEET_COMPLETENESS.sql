-- Complétude des temps | Timesheet completeness
-- scope: team
-- period: week_start
-- measures: completeness share = logged_h / expected_h, people count, complete count, logged_h hours, expected_h hours
-- captions: completeness Complétude des temps | Timesheet completeness; people Personnes en saisie attendue | People
--   with a timesheet due; complete Feuilles complètes | Complete timesheets; logged_h Heures saisies, plafonnées |
--   Logged hours, capped; expected_h Heures attendues | Expected hours
-- stocks: people, complete
-- last: ended
-- headline: completeness
-- receipt: capacity
-- version: 2
-- definition: Σ min(logged, expected) / Σ expected over people who must fill in; expected = capacity − absence;
--   complete from 95 % on. A row without a team is everybody. Hours of several days count on the working days among
--   them.
-- edge cases: what is logged above is capped, so that it hides no missing sheet; a whole week of absence and people
--   without the duty are left out.
WITH e AS (
    SELECT p.team, p.person_label, c.week_start, c.available_s AS expected, c.logged_s AS logged
    FROM kpi_week c JOIN dim_person p USING (person_key)
    WHERE p.timesheet_expected = 1 AND c.available_s > 0 AND c.week_start <= getvariable('as_of')
)
SELECT team, week_start, sum(least(logged, expected))::DOUBLE / nullif(sum(expected), 0) AS completeness,
    count(*) AS people,
    count(*) FILTER (logged >= 0.95 * expected) AS complete, sum(least(logged, expected)) / 3600.0 AS logged_h,
    sum(expected) / 3600.0 AS expected_h,
    string_agg(person_label, ',' ORDER BY person_label) FILTER (logged < 0.95 * expected) AS missing
FROM e GROUP BY GROUPING SETS ((team, week_start), (week_start)) HAVING GROUPING(team) = 1 OR team IS NOT NULL
    ORDER BY week_start, team NULLS FIRST
