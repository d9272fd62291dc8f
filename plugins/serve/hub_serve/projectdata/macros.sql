-- What the entity sets stand on: GUIDs of version 5 (RFC 9562, 5.5) made of the feed's keys, work in hours, money with
-- the four digits of that service, and the feed's tasks and assignments of now. A macro does not reach past its reader:
-- every table here is the reader's own.
CREATE OR REPLACE TEMP MACRO pd_uuid(h) AS (
    h[1:8] || '-' || h[9:12] || '-5' || h[14:16] || '-'
    || substr('89ab', (strpos('0123456789abcdef', h[17]) - 1) % 4 + 1, 1) || h[18:20] || '-' || h[21:32])::UUID;
CREATE OR REPLACE TEMP MACRO pd_guid(kind, id) AS
    pd_uuid(sha1(unhex('dc2d5dd16f2b5013a0df8ada22e1ff1b') || encode(kind || '/' || id::VARCHAR)));
CREATE OR REPLACE TEMP MACRO pd_nothing() AS '00000000-0000-0000-0000-000000000000'::UUID;
CREATE OR REPLACE TEMP MACRO pd_task_id(key) AS CASE WHEN key = -1 THEN pd_nothing() ELSE pd_guid('task', key) END;
CREATE OR REPLACE TEMP MACRO pd_hours(days, per_day) AS (days * per_day / 3600.0)::DECIMAL(18,6);
CREATE OR REPLACE TEMP MACRO pd_work(seconds) AS (seconds / 3600.0)::DECIMAL(18,6);
CREATE OR REPLACE TEMP MACRO pd_money(value) AS value::DECIMAL(19,4);
CREATE OR REPLACE TEMP MACRO pd_between(a, b) AS
    ((SELECT d.workday_seq FROM dim_date d WHERE d.date = b) - (SELECT d.workday_seq FROM dim_date d WHERE d.date = a));
-- of what is spread over days, what is done is done first, and no more in a day than is planned or done in all
CREATE OR REPLACE TEMP MACRO pd_done(work, done, day_no, days) AS
    greatest(0, least(greatest(coalesce(work, 0), done) / days,
        done - greatest(coalesce(work, 0), done) / days * (day_no - 1)));
CREATE OR REPLACE TEMP MACRO pd_period(first, last) AS pd_guid('period', first::DATE || '/' || last::DATE);
CREATE OR REPLACE TEMP MACRO pd_class(category) AS
    CASE category WHEN 'project' THEN 'Standard' WHEN 'absence' THEN 'Absence' WHEN 'internal' THEN 'Administrative'
        ELSE category END;
CREATE OR REPLACE TEMP MACRO pd_sheet_status(approval) AS
    CASE approval WHEN 'approved' THEN 'Approved' WHEN 'rejected' THEN 'Rejected' WHEN 'submitted' THEN 'Submitted'
        WHEN 'draft' THEN 'In Progress' END;
CREATE OR REPLACE TEMP MACRO pd_line_status(approval) AS
    CASE approval WHEN 'approved' THEN 'Approved' WHEN 'rejected' THEN 'Rejected' WHEN 'submitted' THEN 'Pending'
        WHEN 'draft' THEN 'Pending' END
