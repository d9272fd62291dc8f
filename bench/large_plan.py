"""Write a large MSPDI plan for the benchmarks: deterministic, with the elements Microsoft Project writes."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

_ZERO = (
    "<Type>0</Type><IsNull>0</IsNull><CreateDate>2026-01-05T08:00:00</CreateDate><Priority>500</Priority>"
    "<EffortDriven>0</EffortDriven><Recurring>0</Recurring><OverAllocated>0</OverAllocated>"
    "<Estimated>0</Estimated>"
    "<Critical>0</Critical><IsSubproject>0</IsSubproject><IsSubprojectReadOnly>0</IsSubprojectReadOnly>"
    "<ExternalTask>0</ExternalTask><StartVariance>0</StartVariance><FinishVariance>0</FinishVariance>"
    "<WorkVariance>0</WorkVariance><FreeSlack>0</FreeSlack><TotalSlack>0</TotalSlack><FixedCost>0</FixedCost>"
    "<FixedCostAccrual>3</FixedCostAccrual><Cost>0</Cost><OvertimeCost>0</OvertimeCost>"
    "<OvertimeWork>PT0H0M0S</OvertimeWork><ActualCost>0</ActualCost>"
    "<ActualOvertimeCost>0</ActualOvertimeCost>"
    "<ActualOvertimeWork>PT0H0M0S</ActualOvertimeWork><RemainingCost>0</RemainingCost>"
    "<ACWP>0</ACWP><CV>0</CV>"
    "<ConstraintType>0</ConstraintType><CalendarUID>-1</CalendarUID><LevelAssignments>1</LevelAssignments>"
    "<LevelingCanSplit>1</LevelingCanSplit><LevelingDelay>0</LevelingDelay>"
    "<LevelingDelayFormat>8</LevelingDelayFormat>"
    "<IgnoreResourceCalendar>0</IgnoreResourceCalendar><HideBar>0</HideBar><Rollup>0</Rollup><BCWS>0</BCWS>"
    "<BCWP>0</BCWP>"
    "<PhysicalPercentComplete>0</PhysicalPercentComplete><EarnedValueMethod>0</EarnedValueMethod>"
    "<IsPublished>1</IsPublished><CommitmentType>0</CommitmentType>"
)


def _week() -> str:
    days = []
    for day in range(1, 8):
        working = 2 <= day <= 6
        times = (
            "<WorkingTimes><WorkingTime><FromTime>08:00:00</FromTime><ToTime>12:00:00</ToTime></WorkingTime>"
            "<WorkingTime><FromTime>13:00:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime></WorkingTimes>"
        )
        days.append(
            f"<WeekDay><DayType>{day}</DayType>"
            f"<DayWorking>{int(working)}</DayWorking>{times if working else ''}</WeekDay>"
        )
    return "".join(days)


def write_plan(path: Path, *, tasks: int = 20_000, assignments: int = 18_000, links: int = 16_000) -> None:
    """Write *tasks* tasks in groups of ten under a summary.

    Each assignment has daily timephased work.
    """
    with path.open("w", encoding="utf-8") as out:
        out.write(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<Project xmlns="http://schemas.microsoft.com/project"><SaveVersion>14</SaveVersion>'
            "<GUID>6F9619FF-8B86-D011-B42D-00C04FC964FF</GUID><Name>large.xml</Name><Title>Large plan</Title>"
            "<StartDate>2026-01-05T08:00:00</StartDate><FinishDate>2027-12-31T17:00:00</FinishDate>"
            "<CurrencyCode>EUR</CurrencyCode><CalendarUID>1</CalendarUID><MinutesPerDay>480</MinutesPerDay>"
            "<MinutesPerWeek>2400</MinutesPerWeek><Calendars><Calendar><UID>1</UID><Name>Standard</Name>"
            f"<IsBaseCalendar>1</IsBaseCalendar><WeekDays>{_week()}</WeekDays></Calendar></Calendars>\n"
            "<Tasks>\n"
        )
        first = date(2026, 1, 5)
        for uid in range(1, tasks + 1):
            summary = uid % 11 == 1
            start = _workday(first, uid % 400)
            finish = _workday(start, 2)
            done = 100 if uid % 3 == 0 else 0
            work = "PT0H0M0S" if summary else "PT24H0M0S"
            actual, remaining = (work, "PT0H0M0S") if done else ("PT0H0M0S", work)
            link = (
                f"<PredecessorLink><PredecessorUID>{uid - 1}</PredecessorUID><Type>1</Type>"
                "<CrossProject>0</CrossProject>"
                "<LinkLag>0</LinkLag><LagFormat>7</LagFormat></PredecessorLink>"
                if not summary and uid % 11 != 2 and uid <= links * 11 // 9
                else ""
            )
            out.write(
                f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>Task {uid}</Name>"
                f"<WBS>{uid // 11 + 1}.{uid % 11}</WBS>"
                f"<OutlineLevel>{1 if summary else 2}</OutlineLevel>"
                f"<Start>{start}T08:00:00</Start><Finish>{finish}T17:00:00</Finish>"
                "<Duration>PT24H0M0S</Duration>"
                f"<DurationFormat>7</DurationFormat><Work>{work}</Work><Milestone>0</Milestone>"
                f"<Summary>{int(summary)}</Summary>"
                f"<PercentComplete>{done}</PercentComplete><PercentWorkComplete>{done}</PercentWorkComplete>"
                f"<ActualWork>{actual}</ActualWork><RemainingWork>{remaining}</RemainingWork>{_ZERO}{link}"
                f"<Baseline><Number>0</Number><Start>{start}T08:00:00</Start>"
                f"<Finish>{finish}T17:00:00</Finish>"
                "<Duration>PT24H0M0S</Duration><Work>PT24H0M0S</Work><Cost>0</Cost></Baseline></Task>\n"
            )
        out.write("</Tasks>\n<Resources>\n")
        for uid in range(1, 201):
            out.write(
                f"<Resource><UID>{uid}</UID><ID>{uid}</ID><Name>Person {uid}</Name>"
                "<Type>1</Type></Resource>\n"
            )
        out.write("</Resources>\n<Assignments>\n")
        written = 0
        for uid in range(1, tasks + 1):
            if uid % 11 == 1 or written >= assignments:
                continue
            written += 1
            start = _workday(first, uid % 400)
            finish = _workday(start, 2)
            kind = 2 if uid % 3 == 0 else 1
            spans = []
            for step in range(3):
                day = _workday(start, step)
                spans.append(
                    f"<TimephasedData><Type>{kind}</Type><UID>{uid}</UID><Start>{day}T08:00:00</Start>"
                    f"<Finish>{day + timedelta(days=1)}T08:00:00</Finish><Unit>2</Unit>"
                    "<Value>PT8H0M0S</Value></TimephasedData>"
                )
            actual, remaining = ("PT24H0M0S", "PT0H0M0S") if kind == 2 else ("PT0H0M0S", "PT24H0M0S")
            out.write(
                f"<Assignment><UID>{uid}</UID><TaskUID>{uid}</TaskUID>"
                f"<ResourceUID>{uid % 200 + 1}</ResourceUID>"
                f"<ActualWork>{actual}</ActualWork><Start>{start}T08:00:00</Start>"
                f"<Finish>{finish}T17:00:00</Finish>"
                f"<RemainingWork>{remaining}</RemainingWork><Units>1</Units><Work>PT24H0M0S</Work>"
                "<WorkContour>0</WorkContour>"
                f"{''.join(spans)}</Assignment>\n"
            )
        out.write("</Assignments></Project>\n")


def _workday(start: date, steps: int) -> date:
    weeks, days = divmod(steps, 5)
    day = start + timedelta(weeks=weeks)
    for _ in range(days):
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    return day


if __name__ == "__main__":
    began = datetime.now()
    write_plan(Path(sys.argv[1]))
    print(f"{Path(sys.argv[1]).stat().st_size / 1e6:.1f} MB in {datetime.now() - began}")
