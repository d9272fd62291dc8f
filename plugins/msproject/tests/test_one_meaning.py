"""One meaning whatever the file type: a plan as MSPDI, and that plan through MPXJ, are the same records."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_msproject.files import mpxj, mspdi, recognise
from hub_msproject.files.mapping import Plan
from hub_msproject.files.schedule import Rows, TaskRow

DATA = Path(__file__).parents[4] / "shared" / "data" / "msproject"
pytestmark = pytest.mark.skipif(
    bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`"
)
FILES = sorted(path.name for path in DATA.glob("*.*") if path.suffix in {*recognise.SUFFIXES, ".xml"})
WRITE = """
import sys
from pathlib import Path
from hub_msproject.files.mpxj_worker import READERS, start_jvm
start_jvm(512)
from jpype import JClass
for path, to in zip(sys.argv[1::2], sys.argv[2::2]):
    plan = JClass(READERS[Path(path).suffix])().read(path)
    writer = JClass("org.mpxj.mspdi.MSPDIWriter")()
    writer.setWriteTimephasedData(True)
    writer.write(plan, to)
"""
"""Turns plans of any type into MSPDI by MPXJ's own writer."""


@pytest.fixture(scope="module")
def java() -> Iterator[mpxj.Mpxj]:
    reader = mpxj.Mpxj(memory_mb=512, timeout_s=120)
    yield reader
    reader.close()


def records(rows: Rows) -> dict[str, Any]:
    plan = Plan(container_id="p:g", path_name="a", file_name="a", tz="Europe/Paris")
    return {one.id: msgspec.to_builtins(one) for one in plan.records(rows)}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Name what differs; seconds and numbers may by a minute, or by what a rounding does."""
    said = [f"only ours: {ours[id_]}" for id_ in sorted(ours.keys() - theirs.keys())]
    said += [f"only theirs: {theirs[id_]}" for id_ in sorted(theirs.keys() - ours.keys())]
    for id_ in sorted(ours.keys() & theirs.keys()):
        one, other = ours[id_], theirs[id_]
        for name in one:
            near = {"abs": 60} if name.endswith("_s") or name == "seconds" else {"rel": 1e-6}
            if isinstance(one[name], (int, float)) and isinstance(other[name], (int, float)):
                same = one[name] == pytest.approx(other[name], **near)
            else:
                same = one[name] == other[name]
            if not same:
                said.append(f"{id_} {name}: {one[name]!r} != {other[name]!r}")
    return said


def random_plan(seed: int) -> str:
    """Write a plan with a bit of everything that the schema of MSPDI allows."""
    rng = random.Random(seed)

    def tag(name: str, value: object) -> str:
        return f"<{name}>{value}</{name}>"

    def maybe(text: str, share: float = 0.5) -> str:
        return text if rng.random() < share else ""

    def hours(number: float) -> str:
        return f"PT{int(number)}H{round(number % 1 * 60)}M0S"

    def day(month: int = 0) -> str:
        found = date(2026, month or rng.randint(1, 3), rng.randint(8, 25))
        return (found - timedelta(days=max(0, found.weekday() - 4))).isoformat()  # a working day

    week = "".join(
        f"<WeekDay><DayType>{number}</DayType><DayWorking>{int(2 <= number <= 6)}</DayWorking>"
        + (
            "<WorkingTimes><WorkingTime><FromTime>08:00:00</FromTime><ToTime>12:00:00</ToTime></WorkingTime>"
            "<WorkingTime><FromTime>13:00:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime>"
            "</WorkingTimes>"
            if 2 <= number <= 6
            else ""
        )
        + "</WeekDay>"
        for number in range(1, 8)
    )
    holiday = rng.choice(["2026-02-02", "2026-03-03", "2026-04-02"])  # no task begins or ends then
    holidays = maybe(
        "<Exceptions><Exception><EnteredByOccurrences>0</EnteredByOccurrences><TimePeriod>"
        f"<FromDate>{holiday}T00:00:00</FromDate><ToDate>{holiday}T23:59:00</ToDate></TimePeriod>"
        "<Occurrences>1</Occurrences><Name>Holiday</Name><Type>1</Type><DayWorking>0</DayWorking>"
        "</Exception></Exceptions>"
    )
    vacation = day()
    away = (
        f"<Exceptions><Exception><TimePeriod><FromDate>{vacation}T00:00:00</FromDate><ToDate>{vacation}T23:59:00"
        "</ToDate></TimePeriod><Occurrences>1</Occurrences><Type>1</Type><DayWorking>0</DayWorking></Exception>"
        "</Exceptions>"
    )
    own = (
        "<Calendar><UID>2</UID><Name>Bob</Name><IsBaseCalendar>0</IsBaseCalendar><BaseCalendarUID>1"
        f"</BaseCalendarUID>{maybe(away)}</Calendar>"
    )
    there = (
        "", "<MaxUnits>0.5</MaxUnits>", "<MaxUnits>2</MaxUnits>",
        (
            "<AvailabilityPeriods><AvailabilityPeriod><AvailableFrom>2026-01-12T00:00:00</AvailableFrom>"
            "<AvailableTo>2026-02-01T00:00:00</AvailableTo><AvailableUnits>0.5</AvailableUnits>"
            "</AvailabilityPeriod></AvailabilityPeriods>"
        ),
    )  # fmt: skip
    fields = {
        "188743731": ("Text1", "INF-1"), "188743734": ("Text2", "12"), "188743786": ("Cost1", "12345"),
        "188743767": ("Number1", "2.5"), "188743752": ("Flag1", "1"),
        "188743783": ("Duration1", "PT16H0M0S"), "188743945": ("Date1", "2026-03-01T08:00:00"),
    }  # fmt: skip
    named = {field: maybe(f"Alias {name}") for field, (name, _) in fields.items()}
    shared = rng.random() < 0.5
    if shared:  # two fields under one name
        named["188743731"] = named["188743734"] = "Lot"
    definitions = "".join(
        "<ExtendedAttribute>"
        + tag("FieldID", field) + tag("FieldName", name)
        + (tag("Alias", named[field]) if named[field] else "")
        + "</ExtendedAttribute>"
        for field, (name, _) in fields.items()
    )  # fmt: skip
    codes = (
        "<OutlineCodes><OutlineCode><FieldID>188744096</FieldID><FieldName>Outline Code1</FieldName>"
        "<Alias>Domain</Alias><Values>"
        "<Value><ValueID>1</ValueID><FieldGUID>AAAAAAAA-0000-4000-8000-000000000001</FieldGUID><Type>21</Type>"
        "<ParentValueID>0</ParentValueID><Value>Build</Value></Value>"
        "<Value><ValueID>2</ValueID><FieldGUID>AAAAAAAA-0000-4000-8000-000000000002</FieldGUID><Type>21</Type>"
        "<ParentValueID>1</ParentValueID><Value>Works</Value></Value>"
        "</Values></OutlineCode></OutlineCodes>"
    )
    tasks, assignments, number = [], [], 0
    for uid in range(1, 13):
        start = day()
        length = rng.randint(1, 9)
        finish = day(int(start[6]) + 1)
        work = rng.choice([0, 8, 12.5, 40])
        done = rng.choice([0, 0, work, work / 2])
        people = rng.choice([[1], [1, 2], [3], [-65535], []])
        mine = [one for one in people if one in {1, 2}]
        total = work * max(1, len(mine))
        if people == [3]:
            total = done = 0
        tasks.append(
            "<Task>" + tag("UID", uid) + tag("GUID", f"ABCDEF00-0000-4000-8000-0000000000{uid:02}")
            + tag("ID", uid) + tag("Name", f"Task {uid}") + tag("Active", int(rng.random() < 0.8))
            + tag("Manual", rng.randint(0, 1)) + tag("Type", 0) + tag("IsNull", 0)
            + tag("CreateDate", "2026-01-02T09:00:00") + tag("WBS", f"1.{uid}")
            + tag("OutlineNumber", uid) + tag("OutlineLevel", 1) + tag("Priority", 500)
            + tag("Start", f"{start}T08:00:00") + tag("Finish", f"{finish}T17:00:00")
            + (tag("Duration", hours(length * 8)) + tag("DurationFormat", 7) if rng.random() < 0.8 else
               tag("Duration", hours(length * 24)) + tag("DurationFormat", 8)) + tag("Work", hours(total))
            + tag("Milestone", 0) + tag("Summary", 0) + tag("Critical", rng.randint(0, 1))
            + maybe(tag("FreeSlack", 4800 * rng.randint(-1, 3))) + tag("TotalSlack", 4800 * rng.randint(0, 4))
            + tag("FixedCost", rng.choice([0, 15050])) + tag("PercentComplete", rng.choice([0, 30]))
            + tag("Cost", rng.choice([0, 123450])) + tag("ActualCost", rng.choice([0, 100]))
            + tag("ActualWork", hours(done * max(1, len(mine))))
            + tag("RemainingWork", hours((work - done) * max(1, len(mine))) if people != [3] else "PT0H0M0S")
            + tag("RemainingCost", rng.choice([0, 5000]))
            + tag("ConstraintType", kind := rng.randint(0, 7))
            + (tag("ConstraintDate", f"{day()}T08:00:00") if kind > 1 else "")
            + maybe(tag("Deadline", f"{day()}T17:00:00")) + maybe(tag("Notes", "A remark"))
            + (
                "<PredecessorLink>" + tag("PredecessorUID", uid - 1) + tag("Type", rng.randint(0, 3))
                + tag("CrossProject", 0) + tag("LinkLag", 4800 * rng.randint(-1, 1)) + tag("LagFormat", 7)
                + "</PredecessorLink>" if uid > 1 and rng.random() < 0.5 else ""
            )
            + "".join(
                maybe("<ExtendedAttribute>" + tag("FieldID", field) + tag("Value", value)
                      + "</ExtendedAttribute>")
                for field, (_, value) in fields.items()
            )
            + maybe(f"<Baseline>{tag('Number', 0)}<Start>{start}T08:00:00</Start>"
                    f"<Finish>{start}T17:00:00</Finish><Work>PT8H0M0S</Work><Cost>900</Cost></Baseline>")
            + maybe("<OutlineCode>" + tag("FieldID", 188744096) + tag("ValueID", rng.randint(1, 2))
                    + "</OutlineCode>")
            + "</Task>"
        )  # fmt: skip
        for resource in people:
            number += 1
            spans = ""
            if rng.random() < 0.5 and resource != 3 and work:
                spans = (
                    "<TimephasedData>" + tag("Type", 1) + tag("UID", number)
                    + tag("Start", f"{start}T08:00:00") + tag("Finish", f"{finish}T17:00:00")
                    + tag("Unit", 2) + tag("Value", hours(work - done)) + "</TimephasedData>"
                )  # fmt: skip
                if done:
                    spans = (
                        "<TimephasedData>" + tag("Type", 2) + tag("UID", number)
                        + tag("Start", f"{start}T08:00:00") + tag("Finish", f"{start}T17:00:00")
                        + tag("Unit", 2) + tag("Value", hours(done)) + "</TimephasedData>"
                    ) if done == work else ""  # fmt: skip
            assignments.append(
                "<Assignment>" + tag("UID", number) + tag("TaskUID", uid) + tag("ResourceUID", resource)
                + tag("ActualCost", 0) + tag("ActualWork", hours(done)) + tag("Cost", rng.choice([0, 4000]))
                + tag("Finish", f"{finish}T17:00:00") + tag("OvertimeWork", "PT0H0M0S")
                + tag("RemainingCost", 0) + tag("RemainingWork", hours(work - done))
                + tag("Start", f"{start}T08:00:00") + tag("Units", rng.choice([0.5, 1]))
                + tag("Work", hours(work)) + spans + "</Assignment>"
            )  # fmt: skip
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Project xmlns="http://schemas.microsoft.com/project">'
        "<SaveVersion>14</SaveVersion><GUID>ABCDEF00-0000-4000-8000-000000000000</GUID><Title>A</Title>"
        "<StartDate>2026-01-05T08:00:00</StartDate><FinishDate>2026-05-05T17:00:00</FinishDate>"
        "<CurrencyDigits>2</CurrencyDigits><CurrencyCode>EUR</CurrencyCode><CalendarUID>1</CalendarUID>"
        "<MinutesPerDay>480</MinutesPerDay><MinutesPerWeek>2400</MinutesPerWeek><DaysPerMonth>20</DaysPerMonth>"
        "<StatusDate>2026-02-01T17:00:00</StatusDate>"
        f"{codes}<ExtendedAttributes>{definitions}</ExtendedAttributes>"
        "<Calendars><Calendar><UID>1</UID><Name>Std</Name><IsBaseCalendar>1</IsBaseCalendar>"
        f"<BaseCalendarUID>-1</BaseCalendarUID><WeekDays>{week}</WeekDays>{holidays}</Calendar>{own}</Calendars>"
        f"<Tasks>{''.join(tasks)}</Tasks><Resources>"
        f"<Resource><UID>1</UID><Name>Ann</Name><Type>1</Type>{rng.choice(there)}</Resource>"
        "<Resource><UID>2</UID><Name>Bob</Name><Type>1</Type><CalendarUID>2</CalendarUID></Resource>"
        "<Resource><UID>3</UID><Name>Cement</Name><Type>0</Type></Resource></Resources>"
        f"<Assignments>{''.join(assignments)}</Assignments></Project>"
    )


def test_random_plans(java: mpxj.Mpxj, tmp_path: Path, proof: bool) -> None:
    """A plan with a bit of everything is the same by either reader."""
    for seed in range(60 if proof else 8):
        path = tmp_path / "plan.xml"
        path.write_text(random_plan(seed), encoding="utf-8")

        assert [] == differences(records(mspdi.read(path)), records(java.rows(path))), f"seed {seed}"


@pytest.fixture(scope="module")
def as_xml(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write every shared plan as MSPDI."""
    folder = tmp_path_factory.mktemp("xml")
    found = {name: folder / f"{name}.xml" for name in FILES}
    pairs = [str(one) for name, to in found.items() for one in (DATA / name, to)]
    path = {"PYTHONPATH": ":".join(one for one in sys.path if one)}
    subprocess.run([sys.executable, "-c", WRITE, *pairs], check=True, env=path, capture_output=True)
    return found


@pytest.mark.skipif(not FILES, reason="needs the recorded schedules of ../shared/data/msproject")
@pytest.mark.parametrize("name", FILES)
def test_real_plans(name: str, java: mpxj.Mpxj, as_xml: dict[str, Path]) -> None:
    """A real plan of any type, written as MSPDI, is what MPXJ says of that file."""
    ours, theirs = records(mspdi.read(as_xml[name])), records(java.rows(as_xml[name]))
    # MPXJ's writer leaves the days of overtime out
    over = tuple(f"{id_}/" for id_, one in ours.items() if "/a/" in id_ and one.get("overtime_s"))
    said = (
        [one for one in differences(ours, theirs) if not one.startswith(over)]
        if over
        else differences(ours, theirs)
    )

    assert [] == said


COMPUTED = """
import sys, json
from pathlib import Path
from hub_msproject.files.mpxj_worker import READERS, start_jvm
start_jvm(512)
from jpype import JClass
hours = JClass("org.mpxj.TimeUnit").HOURS
def number(value): return None if value is None else float(value.doubleValue())
def span(value, plan): return None if value is None else float(
    value.convertUnits(hours, plan.getProjectProperties()).getDuration())
for path in sys.argv[1:]:
    plan = JClass(READERS[Path(path).suffix])().read(path)
    found = {int(one.getUniqueID()): {
        "critical": bool(one.getCritical()), "slack": span(one.getTotalSlack(), plan),
        "free": span(one.getFreeSlack(), plan), "deadline": str(one.getDeadline() or "")[:10],
        "constraint": str(one.getConstraintType() or ""), "on": str(one.getConstraintDate() or "")[:10],
        "costs": [number(one.getCost()), number(one.getFixedCost()), number(one.getActualCost()),
                  number(one.getRemainingCost())],
    } for one in plan.getTasks() if int(one.getUniqueID() or 0) and not one.getNull()}
    print(json.dumps(found))
"""
"""Says what MPXJ itself reports of tasks."""


@pytest.mark.skipif(not FILES, reason="needs the recorded schedules of ../shared/data/msproject")
def test_what_mpxj_computes(java: mpxj.Mpxj) -> None:
    """Critical, slack, constraints, deadlines and costs of the real files are those that MPXJ reports."""
    path = {"PYTHONPATH": ":".join(one for one in sys.path if one)}
    command = [sys.executable, "-c", COMPUTED, *(str(DATA / name) for name in FILES)]
    said = subprocess.run(command, check=True, env=path, capture_output=True, text=True).stdout.splitlines()
    for name, line in zip(FILES, said, strict=True):
        theirs = json.loads(line)
        rows = mspdi.read(DATA / name) if name.endswith(".xml") else java.rows(DATA / name)
        ours = {str(row.uid): row for row in rows if isinstance(row, TaskRow)}

        assert theirs.keys() == ours.keys(), name
        for uid, row in ours.items():
            one = theirs[uid]
            assert one["critical"] is bool(row.critical), (name, uid)
            for told, held in ((one["slack"], row.total_slack_s), (one["free"], row.free_slack_s)):
                assert held is None or told == pytest.approx(held / 3600, abs=0.02), (name, uid)
            assert one["deadline"] == (row.deadline or "")[:10], (name, uid)
            assert one["constraint"].lower().startswith((row.constraint or "").replace("_on", "")), (
                name,
                uid,
            )
            assert row.constraint_on is None or one["on"] == row.constraint_on[:10], (name, uid)
            costs = [row.cost, row.fixed_cost, row.actual_cost, row.remaining_cost]
            assert [cost or 0 for cost in one["costs"]] == pytest.approx([cost or 0 for cost in costs])


TRANSLATE = """
import sys
from hub_msproject.files.mpxj_worker import start_jvm
start_jvm(512)
from jpype import JClass
plan = JClass("org.mpxj.mspdi.MSPDIReader")().read(sys.argv[1])
for path in sys.argv[2:]:
    writer = JClass("org.mpxj.mpx.MPXWriter")()
    writer.setLocale(JClass("java.util.Locale")(path[-6:-4]))
    writer.write(plan, path)
"""
"""Writes a plan as MPX in the language that ends each file's name."""


def test_mpx_in_every_language(java: mpxj.Mpxj, tmp_path: Path) -> None:
    """Words, decimal signs and dates of MPX are those of Project's language; the plan is the same."""
    (tmp_path / "plan.xml").write_text(random_plan(3), encoding="utf-8")
    path = {"PYTHONPATH": ":".join(one for one in sys.path if one)}
    files = [tmp_path / f"plan-{code}.mpx" for code in ("en", "fr", "de", "it", "es", "pt", "sv", "ru", "zh")]
    command = [sys.executable, "-c", TRANSLATE, str(tmp_path / "plan.xml"), *map(str, files)]
    subprocess.run(command, check=True, env=path, capture_output=True)
    english, *others = [[row for row in java.rows(one) if isinstance(row, TaskRow)] for one in files]

    assert 12 == len(english)
    for one, found in zip(files[1:], others, strict=True):
        assert english == found, one.name
