"""Our MSPDI reader and its source, on small plans of our own.

Values, days, identity, and files that are not well.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hub_msproject.files import mpxj, mspdi
from hub_msproject.files.mapping import Plan
from hub_msproject.files.recognise import whole
from hub_msproject.files.schedule import AssignmentRow, Header
from hub_msproject.files.several import exported_projects
from hub_msproject.files.source import MsProjectSource
from hub_msproject.files.workdays import Calendar, settle, spread, weights

from hub import Allocation, Assignment, CustomValue, SourceDataError, Worklog
from hub.source import Context
from hub.testing import feed_view, store, store_image, sync_once

__all__ = ["store"]
WEEK = "".join(
    f"<WeekDay><DayType>{d}</DayType><DayWorking>{int(2 <= d <= 6)}</DayWorking>"
    + (
        "<WorkingTimes><WorkingTime><FromTime>08:00:00</FromTime><ToTime>12:00:00</ToTime></WorkingTime>"
        "<WorkingTime><FromTime>13:00:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime></WorkingTimes>"
        if 2 <= d <= 6
        else ""
    )
    + "</WeekDay>"
    for d in range(1, 8)
)
GUID = "11111111-2222-4333-8444-555555555555"


def declared(name: str, text: str, encoding: str = "utf-8") -> bytes:
    body = text.partition("?>")[2] if text.startswith("<?xml") else text
    return f'<?xml version="1.0" encoding="{name}"?>{body}'.encode(encoding)


def task(
    uid: int, name: str, *, level: int = 1, extra: str = "", work: str = "PT0H0M0S", **tags: object
) -> str:
    more = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags.items())
    return (
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>{name}</Name><OutlineLevel>{level}</OutlineLevel>"
        "<Start>2026-01-05T08:00:00</Start>"
        f"<Finish>2026-01-09T17:00:00</Finish><Work>{work}</Work>{more}{extra}</Task>"
    )


def assignment(
    uid: int,
    task_uid: int,
    *,
    resource: int = 1,
    work: int = 0,
    actual: int = 0,
    spans: str = "",
    **tags: str,
) -> str:
    more = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags.items())
    return (
        f"<Assignment><UID>{uid}</UID><TaskUID>{task_uid}</TaskUID><ResourceUID>{resource}</ResourceUID>"
        f"<ActualWork>PT{actual}H0M0S</ActualWork>"
        "<Start>2026-01-05T08:00:00</Start><Finish>2026-01-09T17:00:00</Finish>"
        f"<RemainingWork>PT{work - actual}H0M0S</RemainingWork>"
        f"<Work>PT{work}H0M0S</Work>{more}{spans}</Assignment>"
    )


def span(kind: int, start: str, finish: str, value: str) -> str:
    return (
        f"<TimephasedData><Type>{kind}</Type><Start>{start}</Start><Finish>{finish}</Finish><Unit>2</Unit>"
        f"<Value>{value}</Value></TimephasedData>"
    )


def plan(
    tasks: str = "", assignments: str = "", *, guid: str | None = GUID, head: str = "", calendar: str = ""
) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Project xmlns="http://schemas.microsoft.com/project">'
        + (f"<GUID>{guid}</GUID>" if guid else "")
        + "<Title>Plan A</Title><StartDate>2026-01-05T08:00:00</StartDate>"
        f"<MinutesPerDay>420</MinutesPerDay><CalendarUID>1</CalendarUID>{head}"
        "<Calendars><Calendar><UID>1</UID><Name>Std</Name>"
        f"<WeekDays>{WEEK}</WeekDays>{calendar}</Calendar></Calendars>"
        f"<Tasks>{tasks}</Tasks><Resources><Resource><UID>1</UID><Name>Engineer</Name><Type>1</Type>"
        "<EmailAddress>e@x.example</EmailAddress></Resource>"
        "<Resource><UID>2</UID><Name>Cement</Name><Type>0</Type></Resource></Resources>"
        f"<Assignments>{assignments}</Assignments></Project>"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    return tmp_path / "plans"


def records(text: str, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "one.xml"
    path.write_text(text, encoding="utf-8")
    found = Plan(container_id="p:g", path_name="one.xml", file_name="one.xml", tz="Europe/Paris").records(
        mspdi.read(path)
    )
    return {record.id: record for record in found}


def test_tasks(tmp_path: Path) -> None:
    """Hierarchy, kinds, status, dates, percent, own work, baselines, links and custom fields by alias."""
    fields = (
        "<ExtendedAttributes><ExtendedAttribute><FieldID>188743731</FieldID><FieldName>Text1</FieldName>"
        "<Alias>Jira key</Alias></ExtendedAttribute>"
        "</ExtendedAttributes>"
    )
    body = (
        task(0, "Project summary")
        + task(1, "Phase", Summary=1, work="PT40H0M0S", PercentComplete=50)
        + task(
            2,
            "Build &amp; test",
            level=2,
            work="PT40H0M0S",
            ActualWork="PT10H0M0S",
            RemainingWork="PT30H0M0S",
            PercentComplete=25,
            ActualStart="2026-01-05T08:00:00",
            CreateDate="2026-01-01T09:00:00",
            Deadline="2026-01-10T17:00:00",
            extra="<PredecessorLink><PredecessorUID>3</PredecessorUID><Type>3</Type><LinkLag>-4800</LinkLag>"
            "<LagFormat>7</LagFormat></PredecessorLink>"
            "<ExtendedAttribute><FieldID>188743731</FieldID><Value>INF-1</Value></ExtendedAttribute>"
            "<Baseline><Number>0</Number><Start>2026-01-05T08:00:00</Start>"
            "<Finish>2026-01-08T17:00:00</Finish><Work>PT32H0M0S</Work><Cost>12345</Cost></Baseline>"
            "<Baseline><Number>10</Number><Finish>2026-02-08T17:00:00</Finish></Baseline>",
        )
        + task(3, "Ready", level=2, Milestone=1, PercentComplete=100)
        + task(4, "Dropped", Active=0)
        + task(5, "Blank", IsNull=1)
        + task(6, "Measured", EarnedValueMethod=1, PhysicalPercentComplete=30, PercentComplete=90)
    )
    got = records(plan(body, head=fields), tmp_path)
    build = got["p:g/t/2"]

    assert ("p:g/t/1", "Build & test", "work", "in_progress") == (
        build.parent_id,
        build.title,
        build.kind,
        build.status_native,
    )
    assert (144000, 36000, 108000) == (build.estimate_s, build.spent_s, build.remaining_s)
    assert ("2026-01-05", "2026-01-10", "2026-01-01T08:00:00Z") == (
        build.actual_start_on,
        build.due_on,
        build.created_at,
    )
    assert (None, "summary") == (got["p:g/t/1"].estimate_s, got["p:g/t/1"].kind)
    assert ("milestone", "done") == (got["p:g/t/3"].kind, got["p:g/t/3"].status_native)
    assert ("cancelled", (30.0, "physical")) == (
        got["p:g/t/4"].status_native,
        (got["p:g/t/6"].percent, got["p:g/t/6"].percent_kind),
    )
    assert not {"p:g/t/0", "p:g/t/5"} & got.keys()
    assert (115200, 12345, "2026-01-08") == (
        (b := got["p:g/t/2/b0"]).effort_s, b.cost_minor, b.finish_on,
    )  # fmt: skip
    assert "2026-02-08" == got["p:g/t/2/b10"].finish_on
    assert ("p:g/t/3", "SS", -28800) == ((link := got["p:g/l/3-2-SS"]).from_id, link.type, link.lag_s)
    assert "INF-1" == got["p:g/t/2/c/Jira key"].text
    assert (25200, "Plan A") == (got["p:g"].seconds_per_day, got["p:g"].name)
    assert ("human", {"p:g/r/1"}) == (
        got["p:g/r/1"].kind,
        {id_ for id_ in got if "/r/" in id_ and "/k/" not in id_},
    )


def rows_of(text: str, tmp_path: Path) -> list[AssignmentRow]:
    path = tmp_path / "one.xml"
    path.write_text(text, encoding="utf-8")
    return [row for row in mspdi.read(path) if isinstance(row, AssignmentRow)]


def test_a_span_over_days_follows_the_calendar(tmp_path: Path) -> None:
    """Sixteen hours from Friday afternoon to Tuesday noon skip the weekend."""
    spans = span(1, "2026-01-09T13:00:00", "2026-01-13T12:00:00", "PT16H0M0S")
    (row,) = rows_of(plan(task(1, "T"), assignment(1, 1, work=16, spans=spans)), tmp_path)

    assert [("2026-01-09", 14400), ("2026-01-12", 28800), ("2026-01-13", 14400)] == row.planned
    assert not row.approximate


def test_holidays_of_the_calendar_count(tmp_path: Path) -> None:
    """An exception of the base calendar is no working day."""
    holiday = (
        "<Exceptions><Exception><TimePeriod><FromDate>2026-01-06T00:00:00</FromDate>"
        "<ToDate>2026-01-06T23:59:00</ToDate></TimePeriod>"
        "<Type>1</Type><DayWorking>0</DayWorking></Exception></Exceptions>"
    )
    spans = span(1, "2026-01-05T08:00:00", "2026-01-07T17:00:00", "PT16H0M0S")
    (row,) = rows_of(plan(task(1, "T"), assignment(1, 1, work=16, spans=spans), calendar=holiday), tmp_path)

    assert [("2026-01-05", 28800), ("2026-01-07", 28800)] == row.planned


def test_missing_days_are_spread_and_marked(tmp_path: Path) -> None:
    """A file without daily values is spread by the calendar.

    Totals are exact and the record says approximate.
    """
    text = plan(
        task(1, "T", work="PT40H0M0S"),
        assignment(1, 1, work=40, actual=16, Stop="2026-01-06T17:00:00", Resume="2026-01-07T08:00:00"),
    )
    (row,) = rows_of(text, tmp_path)
    got = records(text, tmp_path)

    assert [("2026-01-05", 28800), ("2026-01-06", 28800)] == row.actual
    assert 40 * 3600 == sum(seconds for _, seconds in row.planned)
    assert row.approximate
    assert "approximate" == got["p:g/a/1/c/days"].text
    assert {"plan"} == {record.origin for id_, record in got.items() if "/w/" in id_}


@pytest.mark.parametrize(("total", "day"), [(8, 8), (10, 10)])
def test_overtime_counts_once(tmp_path: Path, total: int, day: int) -> None:
    """Actual work holds its overtime already, except where only both together are the total."""
    spans = span(2, "2026-01-05T08:00:00", "2026-01-05T17:00:00", "PT8H0M0S") + span(
        3, "2026-01-05T17:00:00", "2026-01-05T19:00:00", "PT2H0M0S"
    )
    (row,) = rows_of(plan(task(1, "T"), assignment(1, 1, work=total, actual=total, spans=spans)), tmp_path)

    assert [("2026-01-05", day * 3600)] == row.actual
    assert not row.approximate


@pytest.mark.parametrize(
    ("days", "total", "units", "expected"),
    [
        ({"2026-01-05": 9 * 3600}, 8, 1.0, [8]),
        ({"2026-01-05": 8 * 3600, "2026-01-06": 3600}, 3, 1.0, [8 / 3, 1 / 3]),
        ({"2026-01-05": -3600, "2026-01-06": 7200}, 2, 1.0, [2]),
        ({"2026-01-05": 3600}, 40, 1.0, [24, 16]),
        ({"2026-01-05": 3600, "2026-01-06": 3600}, 60, 1.0, [24, 24, 12]),
        ({"2026-01-05": 40 * 3600}, 40, 5.0, [40]),
        ({}, 30, 1.0, [24, 6]),
        ({"2026-01-05": 3600}, 0, 1.0, []),
        ({"2026-01-05": -3600}, -1, 1.0, []),
    ],
)
def test_days_are_possible(days: dict[str, int], total: int, units: float, expected: list[float]) -> None:
    """No day is negative or longer than 24 hours of each unit, and they add up to the total."""
    settled, _ = settle(days, total * 3600, "2026-01-05", units)

    assert pytest.approx(expected, abs=0.001) == [seconds / 3600 for _, seconds in settled]
    assert max(0, total) * 3600 == sum(seconds for _, seconds in settled)


def test_what_project_computed(tmp_path: Path) -> None:
    """Constraint, deadline, slack, costs in hundredths, mode, notes, and the assignment's own figures."""
    body = task(
        1, "T", work="PT16H0M0S", Deadline="2026-01-12T17:00:00", ConstraintType=4,
        ConstraintDate="2026-01-05T08:00:00", Critical=1, Manual=0, Duration="PT14H0M0S", DurationFormat=7,
        TotalSlack=-4800, FreeSlack=2400, Cost=123450, FixedCost=50000, ActualCost=0, RemainingCost=73450,
        Notes="A remark\n",
    )  # fmt: skip
    head = "<CurrencyCode>EUR</CurrencyCode><StatusDate>2026-01-07T17:00:00</StatusDate>"
    work = assignment(
        1, 1, work=16, Units="0.5", Cost="73450", OvertimeWork="PT2H0M0S", RemainingCost="73450"
    )
    got = records(plan(body, work, head=head), tmp_path)
    one, who = got["p:g/t/1"], got["p:g/a/1"]

    assert ("2026-01-12", "start_no_earlier", "2026-01-05") == (
        one.deadline_on, one.constraint_type, one.constraint_on,
    )  # fmt: skip
    assert (True, False, 50400, -28800, 14400) == (
        one.is_critical, one.is_manual, one.duration_s, one.total_slack_s, one.free_slack_s,
    )  # fmt: skip
    assert (123450, 50000, 0, 73450, "EUR", "A remark") == (
        one.cost_minor, one.fixed_cost_minor, one.actual_cost_minor, one.remaining_cost_minor, one.currency,
        one.notes,
    )  # fmt: skip
    assert "2026-01-07" == got["p:g"].status_on
    assert ("p:g/r/1", 0.5, "2026-01-05", 57600, 0, 57600, 7200, 73450) == (
        who.account_id, who.units, who.start_on, who.planned_s, who.actual_s, who.remaining_s, who.overtime_s,
        who.cost_minor,
    )  # fmt: skip


def test_what_nothing_says_is_nothing(tmp_path: Path) -> None:
    """No rates are no costs of nothing; a leftover date hangs on no constraint; 1984 is no day."""
    body = task(
        1, "T", Cost=0, FixedCost=0, ConstraintDate="2026-01-05T08:00:00", Deadline="1984-01-01T00:00:00"
    )
    one = records(plan(body), tmp_path)["p:g/t/1"]

    assert (None, None, None, None) == (one.cost_minor, one.currency, one.constraint_on, one.deadline_on)
    assert (None, None, None) == (one.is_critical, one.total_slack_s, one.notes)


def test_an_elapsed_duration_is_working_time(tmp_path: Path) -> None:
    """Three elapsed days from Friday noon have a Friday afternoon and half a Monday of work."""
    body = (
        task(1, "T", Duration="PT72H0M0S", DurationFormat=8)
        .replace("2026-01-05T08:00:00", "2026-01-09T12:00:00")
        .replace("2026-01-09T17:00:00", "2026-01-12T12:00:00")
    )

    assert 8 * 3600 == records(plan(body), tmp_path)["p:g/t/1"].duration_s


def test_work_that_nobody_does_yet(tmp_path: Path) -> None:
    """It is demand of nobody: by the row that stands for it, or over the task; never what a task lacks."""
    spans = span(1, "2026-01-05T08:00:00", "2026-01-06T17:00:00", "PT16H0M0S")
    body = (
        task(1, "By its row", work="PT16H0M0S") + task(2, "Without a row", work="PT40H0M0S")
        + task(3, "A duration, no work") + task(4, "Dropped", work="PT8H0M0S", Active=0)
        + task(5, "Done by somebody", work="PT8H0M0S")
    )  # fmt: skip
    rows = (
        assignment(1, 1, resource=-65535, work=16, spans=spans) + assignment(3, 3, resource=-65535, work=40)
        + assignment(5, 5, work=8)
    )  # fmt: skip
    got = records(plan(body, rows), tmp_path)
    planned = {id_: one for id_, one in got.items() if isinstance(one, Allocation)}
    demand = [(one.task_id, one.planned_s) for one in got.values() if isinstance(one, Assignment)]

    assert {
        ("p:g/t/1", "2026-01-05", "2026-01-05", 28800),
        ("p:g/t/1", "2026-01-06", "2026-01-06", 28800),
        ("p:g/t/2", "2026-01-05", "2026-01-09", 144000),
    } == {
        (one.task_id, one.start_on, one.finish_on, one.seconds)
        for one in planned.values()
        if one.account_id is None
    }
    assert [("p:g/t/1", 57600), ("p:g/t/2", 144000), ("p:g/t/4", 28800), ("p:g/t/5", 28800)] == sorted(demand)


def test_inactive_tasks_are_not_in_the_load(tmp_path: Path) -> None:
    """What they plan is not; what was done on them stays."""
    body = task(1, "T", work="PT16H0M0S", ActualWork="PT8H0M0S", Active=0)
    got = records(plan(body, assignment(1, 1, work=16, actual=8)), tmp_path)

    assert not [one for one in got.values() if isinstance(one, Allocation)]
    assert 28800 == sum(one.seconds for one in got.values() if isinstance(one, Worklog))


def test_custom_fields_by_their_kind(tmp_path: Path) -> None:
    """Costs are in hundredths, durations hours; codes have a path; values of one name are a list."""

    def field(number: int, value: str) -> str:
        return f"<ExtendedAttribute><FieldID>{number}</FieldID><Value>{value}</Value></ExtendedAttribute>"

    head = (
        "<OutlineCodes><OutlineCode><FieldID>188744096</FieldID><FieldName>Code1</FieldName><Values>"
        "<Value><ValueID>1</ValueID><ParentValueID>0</ParentValueID><Value>Build</Value></Value>"
        "<Value><ValueID>2</ValueID><ParentValueID>1</ParentValueID><Value>Works</Value></Value>"
        "</Values></OutlineCode></OutlineCodes><ExtendedAttributes>"
        "<ExtendedAttribute><FieldID>188743731</FieldID><FieldName>Texte1</FieldName><Alias>Lot</Alias>"
        "</ExtendedAttribute><ExtendedAttribute><FieldID>188743734</FieldID><FieldName>Texte2</FieldName>"
        "<Alias>Lot</Alias></ExtendedAttribute></ExtendedAttributes>"
    )
    extra = (
        field(188743786, "12345") + field(188743783, "PT4H30M0S") + field(188743752, "1")
        + field(188743753, "0") + field(188743731, "A") + field(188743731, "B") + field(188743734, "C")
        + "<OutlineCode><FieldID>188744096</FieldID><ValueID>2</ValueID></OutlineCode>"
    )  # fmt: skip
    got = records(plan(task(1, "T", extra=extra), head=head), tmp_path)

    assert {
        "Cost1": ("123.45", 123.45),
        "Duration1": ("0.6428571429", 4.5 / 7),
        "Flag1": ("true", None),
        "Lot": ("A, B, C", None),
        "Outline Code1": ("Build.Works", None),
    } == {one.field: (one.text, one.number) for one in got.values() if isinstance(one, CustomValue)}


@pytest.mark.long
@pytest.mark.parametrize(
    ("chosen", "finish"),
    [(0, "2026-01-07"), (1, "2026-01-08"), ("last", "2026-01-16"), (9, "2026-01-07")],
)
def test_the_baseline_that_counts(folder: Path, store: Any, chosen: Any, finish: str) -> None:
    """It is the chosen one where the plan has it, the first one otherwise; another choice is read anew."""
    bases = "".join(
        f"<Baseline><Number>{no}</Number><Finish>2026-01-{day}T17:00:00</Finish></Baseline>"
        for no, day in ((0, "07"), (1, "08"), (3, "16"))
    )
    sync_plan(folder, store, plan(task(1, "T", extra=bases)))
    sync_plan(folder, store, plan(task(1, "T", extra=bases)), baseline=chosen)
    with feed_view(store, folder.parent) as feed:
        found = feed.connection.execute("SELECT baseline_finish FROM fact_task_snapshot").fetchall()

    assert {finish} == {str(row[0]) for row in found}


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00", "9999-12-31T00:00:00", "NA", ""])
def test_days_of_a_year_that_means_none(tmp_path: Path, none: str) -> None:
    """A span without a beginning is none: the work stands on the days of its assignment."""
    spans = span(1, none, "2026-01-06T17:00:00", "PT16H0M0S")
    (row,) = rows_of(plan(task(1, "T"), assignment(1, 1, work=40, spans=spans)), tmp_path)
    odd = assignment(1, 1, work=8).replace("2026-01-05T08:00:00", none or "NA")
    (late,) = rows_of(plan(task(1, "T"), odd), tmp_path)

    assert [8 * 3600] * 5 == [seconds for _, seconds in row.planned]
    assert [("2026-01-09", 8 * 3600)] == late.planned


def test_material_has_no_days(tmp_path: Path) -> None:
    """Tons of cement are not hours."""
    got = records(plan(task(1, "T"), assignment(1, 1, resource=2, work=5)), tmp_path)

    assert [] == [id_ for id_ in got if "/a/" in id_]


def test_weights_and_shares() -> None:
    """Shares are whole seconds that add up exactly, whatever the weights."""
    calendar = Calendar()
    calendar.week = {0: [(0, 3600)], 1: [(0, 7200)], 2: [(0, 3600)]}
    days = weights(calendar.intervals, "2026-01-05T00:00:00", "2026-01-07T12:00:00")

    assert [("2026-01-05", 3600), ("2026-01-06", 7200), ("2026-01-07", 3600)] == days
    assert 10_001 == sum(seconds for _, seconds in spread(days, 10_001))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: it is still being written"),
        (plan(task(1, "T")).encode()[:-40], "half-written or damaged"),
        (b"<Project><Tasks/></Project>", "is not Microsoft Project XML"),
        (b"<html><body/></html>", "its root is html"),
        (b"PK\x03\x04 not xml", "not complete XML"),
        (
            b'<!DOCTYPE Project [<!ENTITY x "y">]><Project xmlns="http://schemas.microsoft.com/project"/>',
            "carries a DTD",
        ),
        (declared("klingon", plan(task(1, "T"))), "says it is written in klingon"),
    ],
)
def test_files_that_are_not_well(folder: Path, store: Any, content: bytes, words: str) -> None:
    """A bad file has a sentence of its own and stops no other."""
    (folder / "good.xml").write_text(plan(task(1, "T"), guid=None))
    (folder / "bad.xml").write_bytes(content)
    report = sync_once(store, MsProjectSource(name="p", path="plans"), base=folder.parent)

    assert ("partial", 1) == (report.verdict, len(report.missing))
    assert words in report.missing[0]
    assert "bad.xml" in report.missing[0]
    assert 1 == store.rows("SELECT count(*) AS n FROM task")[0]["n"]


def test_unchanged_files_are_not_opened(folder: Path, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second sync opens nothing; a touched file of the same content is hashed but not parsed."""
    path = folder / "a.xml"
    path.write_text(plan(task(1, "T")))
    source = MsProjectSource(name="p", path="plans")
    sync_once(store, source, base=folder.parent)
    opened: list[str] = []
    real = Path.open

    def spy(self: Path, *args: Any, **kwargs: Any) -> Any:
        opened.append(self.name)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", spy)
    quiet = sync_once(store, source, base=folder.parent)
    assert ([], 0, 1, "ok") == (opened, quiet.changes.read, quiet.skipped, quiet.verdict)
    os.utime(path, ns=(1, 1))
    touched = sync_once(store, source, base=folder.parent)

    assert (["a.xml"], 0) == (opened, touched.changes.read)


def test_a_plan_is_its_guid(folder: Path, store: Any) -> None:
    """A new file name with the same GUID continues the plan: same keys, nothing deleted, nothing new."""
    source = MsProjectSource(name="p", path="plans")
    (folder / "Plan.xml").write_text(plan(task(1, "T") + task(2, "U")))
    sync_once(store, source, base=folder.parent)
    keys = store.rows("SELECT id, key FROM task")
    (folder / "Plan.xml").unlink()
    (folder / "Plan_v2.xml").write_text(plan(task(1, "T renamed") + task(2, "U")))
    report = sync_once(store, source, base=folder.parent)

    assert ("ok", 0) == (report.verdict, report.changes.inserted)
    assert keys == store.rows("SELECT id, key FROM task")
    assert "Plan_v2" == store.rows("SELECT code FROM container")[0]["code"]


def test_the_newest_file_of_a_plan(folder: Path, store: Any) -> None:
    """It counts, the older ones are named; once the newest is gone the next one is read again."""
    source = MsProjectSource(name="p", path="plans")

    def titles() -> list[str]:
        return [row["title"] for row in store.rows("SELECT title FROM task WHERE presence = 'present'")]

    for number, name in enumerate(("a", "b", "c")):
        (folder / f"{name}.xml").write_text(plan(task(1, f"as of {name}")))
        os.utime(folder / f"{name}.xml", (1_790_000_000 + number,) * 2)
    first = sync_once(store, source, base=folder.parent)
    newest = titles()
    (folder / "c.xml").unlink()
    sync_once(store, source, base=folder.parent)
    before = titles()
    quiet = sync_once(store, source, base=folder.parent)
    (folder / "a.xml").write_text(plan(task(1, "a again")))
    os.utime(folder / "a.xml", (1_790_000_009,) * 2)
    sync_once(store, source, base=folder.parent)
    again = titles()
    (folder / "a.xml").unlink()
    sync_once(store, source, base=folder.parent)

    assert ("ok", 2) == (first.verdict, len(first.notes))
    assert ["as of c"] == newest
    assert (["as of b"], 0, ["a again"], ["as of b"]) == (before, quiet.changes.read, again, titles())


def test_the_newest_file_is_that_of_the_later_status_date(folder: Path, store: Any) -> None:
    """Who copies an old state later does not make it the newest; without a status date the save does."""
    source = MsProjectSource(name="p", path="plans")
    for number, (name, status) in enumerate((("late", "2026-02-28"), ("early", "2026-01-31"))):
        head = f"<StatusDate>{status}T17:00:00</StatusDate>"
        (folder / f"{name}.xml").write_text(plan(task(1, f"as of {name}"), head=head))
        os.utime(folder / f"{name}.xml", (1_790_000_000 + number,) * 2)
    report = sync_once(store, source, base=folder.parent)
    quiet = sync_once(store, source, base=folder.parent)

    assert ("ok", [("as of late",)]) == (
        report.verdict, [tuple(row) for row in store.connection.execute("SELECT title FROM task")],
    )  # fmt: skip
    assert ("ok", 0) == (quiet.verdict, quiet.changes.read)
    assert "early.xml is an older copy of the plan in plans/late.xml" in report.notes[0]


def test_two_files_of_one_plan_refused(folder: Path, store: Any) -> None:
    """With overlap = "refuse" both are named, neither is counted."""
    (folder / "a.xml").write_text(plan(task(1, "T")))
    (folder / "b.xml").write_text(plan(task(1, "T")))
    source = MsProjectSource(name="p", path="plans", overlap="refuse")
    report = sync_once(store, source, base=folder.parent)

    assert "failed" == report.verdict
    assert "plans/a.xml and plans/b.xml are copies of one plan" in " ".join(report.missing)
    assert [] == store.rows("SELECT 1 FROM task")


def test_a_vanished_file_is_held(folder: Path, store: Any) -> None:
    """Nothing leaves by itself when a file is gone; it comes back without question."""
    source = MsProjectSource(name="p", path="plans")
    for name, guid in (("a", GUID), ("b", None)):
        (folder / f"{name}.xml").write_text(plan(task(1, "T"), guid=guid))
    sync_once(store, source, base=folder.parent)
    (folder / "b.xml").rename(folder / "b.away")
    gone = sync_once(store, source, base=folder.parent)
    (folder / "b.away").rename(folder / "b.xml")
    back = sync_once(store, source, base=folder.parent)

    assert ("partial", 1) == (gone.verdict, len(gone.held))
    assert "its file is no longer among those of plans" in gone.held[0]
    assert ("ok", []) == (back.verdict, back.held)


def test_an_empty_glob_is_held(folder: Path, store: Any) -> None:
    """A share that is not mounted empties nothing."""
    (folder / "a.xml").write_text(plan(task(1, "T")))
    source = MsProjectSource(name="p", path="plans/*.xml")
    sync_once(store, source, base=folder.parent)
    (folder / "a.xml").unlink()
    report = sync_once(store, source, base=folder.parent)

    assert ("failed", 1) == (report.verdict, len(report.held))
    assert "no schedule file matches plans/*.xml" in report.missing[0]
    assert {"present"} == {
        row["presence"]
        for row in store.rows("SELECT presence FROM container UNION SELECT presence FROM task")
    }


def test_a_sudden_drop_of_tasks_is_held(folder: Path, store: Any) -> None:
    """Ten tasks that become three wait for a person."""
    source = MsProjectSource(name="p", path="plans")
    (folder / "a.xml").write_text(plan("".join(task(n, f"T{n}") for n in range(1, 11))))
    sync_once(store, source, base=folder.parent)
    (folder / "a.xml").write_text(plan("".join(task(n, f"T{n}") for n in range(1, 4))))
    report = sync_once(store, source, base=folder.parent)

    assert "partial" == report.verdict
    assert "7 of 10 task rows would leave at once" in report.held[0]


def test_a_file_that_changes_while_read(folder: Path, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are kept as they come, but it does not count as done and proves no absence."""
    path = folder / "a.xml"
    source = MsProjectSource(name="p", path="plans")
    path.write_text(plan("".join(task(n, f"T{n}") for n in range(1, 11))))
    sync_once(store, source, base=folder.parent)
    path.write_text(plan("".join(task(n, f"T{n}") for n in range(1, 10))))
    real = mspdi.read

    def slow(one: Path) -> Any:
        for row in real(one):
            yield row
            if isinstance(row, Header):
                time.sleep(0.01)
                one.write_text(plan(task(1, "other")))

    monkeypatch.setattr(mspdi, "read", slow)
    report = sync_once(store, source, base=folder.parent)

    assert "failed" == report.verdict
    assert "changed while it was read" in report.missing[0]
    assert {"present"} == {row["presence"] for row in store.rows("SELECT presence FROM task")}


def test_the_missing_extra_is_named(folder: Path, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MPXJ an .mpp says what to install; .xml files are read all the same."""
    monkeypatch.setattr(mpxj, "missing_packages", lambda: ["mpxj", "jpype"])
    (folder / "a.xml").write_text(plan(task(1, "T")))
    (folder / "b.mpp").write_bytes(b"\xd0\xcf\x11\xe0")
    source = MsProjectSource(name="p", path="plans")
    report = sync_once(store, source, base=folder.parent)
    checks = list(source.check(Context(base=folder.parent, source_id="p")))

    assert "partial" == report.verdict
    assert 'pip install "pm-hub-msproject[mpp]"' in report.missing[0]
    assert "failed" in {check.state for check in checks}


@pytest.mark.skipif(bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`")
def test_a_foreign_mpp_stops_no_other(folder: Path, store: Any) -> None:
    """A damaged .mpp and an .mpx that is none are told, the reader lives on for the good file."""
    (folder / "a.mpp").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    (folder / "b.mpx").write_text("hello")
    (folder / "c.mpx").write_text("MPX,Microsoft Project for Windows,4.0,ANSI\r\n70,1,3\r\n")
    report = sync_once(store, MsProjectSource(name="p", path="plans"), base=folder.parent)

    assert ["a.mpp", "b.mpx"] == sorted(line.split()[0] for line in report.missing)
    assert "partial" == report.verdict


@pytest.mark.skipif(bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`")
def test_each_file_is_parsed_once(folder: Path, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that only MPXJ reads share one JVM, and each is parsed once; a quiet run starts none."""
    asked: list[str] = []
    started: list[int] = []
    lines, start = mpxj.Mpxj._lines, mpxj.Mpxj._start

    def counted(self: mpxj.Mpxj, path: Path) -> Any:
        asked.append(path.name)
        yield from lines(self, path)

    def seen(self: mpxj.Mpxj) -> Any:
        child = start(self)
        started.append(child[0].pid)
        return child

    monkeypatch.setattr(mpxj.Mpxj, "_lines", counted)
    monkeypatch.setattr(mpxj.Mpxj, "_start", seen)
    names = [f"{number}.mpx" for number in range(6)]
    for name in names:
        (folder / name).write_text("MPX,Microsoft Project for Windows,4.0,ANSI\r\n70,1,3\r\n")
    for _ in range(2):
        assert "ok" == sync_once(store, MsProjectSource(name="p", path="plans"), base=folder.parent).verdict

    assert (names, 1) == (sorted(asked), len(set(started)))


@pytest.mark.skipif(bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`")
def test_a_reader_that_dies_is_started_again(folder: Path) -> None:
    """A file that kills or outlasts the child costs that file only."""
    path = folder / "a.mpx"
    path.write_text("MPX,Microsoft Project for Windows,4.0,ANSI\r\n70,1,3\r\n")
    reader = mpxj.Mpxj(memory_mb=256, timeout_s=0.0)
    try:
        with pytest.raises(SourceDataError, match=r"was not read within 0 s|stopped the schedule reader"):
            list(reader.rows(path))
        reader.timeout_s = 60
        assert any(isinstance(row, Header) for row in reader.rows(path))
        assert reader._child is not None
        reader._child.kill()
        reader._child.wait()
        assert any(isinstance(row, Header) for row in reader.rows(path))
    finally:
        reader.close()


def test_full_reads_everything_again(folder: Path, store: Any) -> None:
    """--full opens unchanged files and still changes no row."""
    (folder / "a.xml").write_text(plan(task(1, "T")))
    source = MsProjectSource(name="p", path="plans")
    sync_once(store, source, base=folder.parent)
    image = store_image(store)
    report = sync_once(store, source, base=folder.parent, full=True)

    assert (5, 0, 0) == (report.changes.read, report.changes.inserted, report.changes.updated)
    assert image == store_image(store)


def sync_plan(folder: Path, store: Any, text: str, **settings: Any) -> Any:
    (folder / "plan.xml").write_text(text)
    return sync_once(store, MsProjectSource(name="p", path="plans", **settings), base=folder.parent)


def kept(store: Any) -> dict[str, dict[str, Any]]:
    return {row["id"].rpartition("/")[2]: row for row in store.rows("SELECT * FROM task")}


def test_an_odd_task_costs_a_task(folder: Path, store: Any) -> None:
    """The others are taken, it is named, and what was known of it stays until it is right."""
    rows = [task(number, f"T{number}") for number in range(1, 9)]
    sync_plan(folder, store, plan("".join(rows)))
    rows[2] = rows[2].replace("<OutlineLevel>1", "<OutlineLevel>high")
    report = sync_plan(folder, store, plan("".join(rows)))

    assert ("partial", 1, 8) == (report.verdict, report.rejected, len(kept(store)))
    assert "plan.xml, task 3" in report.rejections[0]
    assert {"present"} == {row["presence"] for row in kept(store).values()}


def test_a_plan_that_is_put_back_as_it_was(folder: Path, store: Any) -> None:
    """What was taken of the plan in between, beside its odd task, is taken back: it was another content."""
    before = [task(number, f"T{number}") for number in range(1, 9)]
    sync_plan(folder, store, plan("".join(before)))
    between = [before[0].replace("T1", "Renamed"), *before[1:]]
    between[2] = between[2].replace("<OutlineLevel>1", "<OutlineLevel>high")
    sync_plan(folder, store, plan("".join(between)))
    renamed = kept(store)["1"]["title"]
    after = sync_plan(folder, store, plan("".join(before)))

    assert ("Renamed", "T1", "ok") == (renamed, kept(store)["1"]["title"], after.verdict)


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        ("<PredecessorLink><Type>1</Type></PredecessorLink>", "link to task 2"),
        ("<Baseline><Number>0</Number><Cost>much</Cost></Baseline>", "baseline of task 2"),
        ("<Cost>much</Cost>", "figures of task 2"),
        ("<ConstraintType>42</ConstraintType>", "figures of task 2"),
    ],
)
def test_an_odd_part_of_a_task_costs_the_part(folder: Path, store: Any, odd: str, what: str) -> None:
    """The task is taken without it, and it is named."""
    report = sync_plan(folder, store, plan(task(1, "A") + task(2, "B", extra=odd)))

    assert {"1", "2"} == kept(store).keys()
    assert what in report.rejections[0]
    assert [] == report.missing


def test_what_the_schema_allows(folder: Path, store: Any) -> None:
    """Booleans in words, a summary that only the outline tells, a row with the number 0, 4800.0 for a lag."""
    link = "<PredecessorLink><PredecessorUID>2</PredecessorUID><LinkLag>4800.0</LinkLag></PredecessorLink>"
    body = (
        task(0, "Zero").replace("<ID>0</ID>", "<ID>1</ID>")
        + task(1, "Phase")
        + task(2, "Step", level=2, Milestone="true")
        + task(3, "Last", level=2, Active="false", extra=link)
    )
    report = sync_plan(folder, store, plan(body, guid=None))
    found = kept(store)

    assert ("ok", {"0", "1", "2", "3"}) == (report.verdict, found.keys())
    assert ("summary", "milestone", "cancelled") == (
        found["1"]["kind"], found["2"]["kind"], found["3"]["status_native"],
    )  # fmt: skip
    assert [28800] == [row["lag_s"] for row in store.rows("SELECT lag_s FROM task_link")]


def test_microsofts_published_namespace(folder: Path, store: Any) -> None:
    """The schema that Microsoft publishes names another namespace than Project writes: it is read alike."""
    text = plan(task(1, "A") + task(2, "B"))
    report = sync_plan(
        folder, store, text.replace("schemas.microsoft.com/project", "schemas.microsoft.com/project/2007")
    )

    assert ("ok", 2) == (report.verdict, len(kept(store)))


@pytest.mark.parametrize("encoding", ["GB2312", "Shift_JIS", "windows-1252"])
def test_encodings(folder: Path, store: Any, encoding: str) -> None:
    """A plan in an encoding that only Python knows is read."""
    title = {"GB2312": "项目", "Shift_JIS": "計画", "windows-1252": "Été"}[encoding]
    (folder / "plan.xml").write_bytes(declared(encoding, plan(task(1, title)), encoding))
    report = sync_once(store, MsProjectSource(name="p", path="plans"), base=folder.parent)

    assert ("ok", title) == (report.verdict, kept(store)["1"]["title"])


@pytest.mark.parametrize(
    ("name", "body", "is_whole"),
    [
        ("a.xer", b"ERMHDR\t1\r\n%T\tTASK\r\n%R\t1\r\n%E\r\n", True),
        ("a.xer", b"ERMHDR\t1\r\n%T\tTASK\r\n%R\t1\r\n", False),
        ("a.mpx", b"MPX,Microsoft Project,4.0\r\n70,1\r\n", True),
        ("a.mpx", b"MPX,Microsoft Project,4.0\r\n70,1,Ha", False),
    ],
)
def test_signs_of_a_cut(tmp_path: Path, name: str, body: bytes, is_whole: bool) -> None:
    """A file of Primavera without its last line, and a line of MPX without its end, were cut off."""
    (tmp_path / name).write_bytes(body)

    assert is_whole is (whole(tmp_path / name) is None)


def test_projects_of_one_file(tmp_path: Path) -> None:
    """One that a relation only names was not exported."""
    head = b"ERMHDR\t1\n%T\tPROJECT\n%F\tproj_id\texport_flag\n"
    (tmp_path / "a.xer").write_bytes(head + b"%R\t1\tY\n%R\t2\tN\n%R\t3\tY\n%T\tTASK\n%R\t9\n%E\n")
    (tmp_path / "a.pmxml").write_bytes(b"<A><Project><Id/></Project> <Project x='1'/><ProjectNote/></A>")

    assert [2, 2] == [exported_projects(tmp_path / name, name[1:]) for name in ("a.xer", "a.pmxml")]


LOOP = (
    "<Calendars><Calendar><UID>3</UID><BaseCalendarUID>4</BaseCalendarUID></Calendar>"
    "<Calendar><UID>4</UID><BaseCalendarUID>3</BaseCalendarUID></Calendar>"
)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("<Start>2026-01-05T08:00:00", "<Start> 2026-01-05T08:00:00 ", "ok"),
        ("<Finish>2026-01-09T17:00:00", "<Finish>2026-13-45T17:00:00", "partial"),
        ("<Calendars>", LOOP, "ok"),
        ("<ID>1</ID>", "<PercentComplete>250</PercentComplete>", "ok"),
    ],
    ids=["a date with blanks", "no date", "calendars that stand on each other", "250 %"],
)
def test_an_odd_value_costs_no_plan(folder: Path, store: Any, before: str, after: str, verdict: str) -> None:
    """Whatever is odd of one task or calendar, the other task is there."""
    report = sync_plan(folder, store, plan(task(1, "Odd") + task(2, "B")).replace(before, after, 1))

    assert verdict == report.verdict, report.missing
    assert "B" in {row["title"] for row in store.rows("SELECT title FROM task")}
