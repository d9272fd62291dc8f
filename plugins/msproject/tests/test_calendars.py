"""What people can work by the calendars of a plan, through to the feed; people.csv wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hub_msproject.files.source import MsProjectSource

from hub.testing import feed_view, store, sync_once

__all__ = ["store"]


def week(hours: dict[int, tuple[int, int]]) -> str:
    """Return weekdays, 1 for Sunday as Project counts, with the hours from and to."""
    days = ""
    for day in range(1, 8):
        times = (
            "<WorkingTimes><WorkingTime><FromTime>{:02}:00:00</FromTime><ToTime>{:02}:00:00</ToTime>"
            "</WorkingTime></WorkingTimes>".format(*hours[day])
            if day in hours
            else ""
        )
        days += (
            f"<WeekDay><DayType>{day}</DayType><DayWorking>{int(bool(times))}</DayWorking>{times}</WeekDay>"
        )
    return f"<WeekDays>{days}</WeekDays>"


FULL = dict.fromkeys(range(2, 7), (8, 16))
VACATION = (
    "<Exceptions><Exception><TimePeriod><FromDate>2026-01-15T00:00:00</FromDate>"
    "<ToDate>2026-01-16T23:59:00</ToDate></TimePeriod><DayWorking>0</DayWorking></Exception></Exceptions>"
)
PLAN = (
    '<Project xmlns="http://schemas.microsoft.com/project"><Title>Plan</Title><CalendarUID>1</CalendarUID>'
    "<MinutesPerDay>480</MinutesPerDay><Calendars>"
    f"<Calendar><UID>1</UID><IsBaseCalendar>1</IsBaseCalendar>{week(FULL)}</Calendar>"
    f"<Calendar><UID>2</UID><BaseCalendarUID>1</BaseCalendarUID>{VACATION}</Calendar>"
    f"<Calendar><UID>3</UID><BaseCalendarUID>1</BaseCalendarUID>{week({2: (8, 12), 4: (8, 16)})}</Calendar>"
    "</Calendars><Tasks><Task><UID>1</UID><Name>Work</Name><Start>2026-01-05T08:00:00</Start>"
    "<Finish>2026-01-23T16:00:00</Finish><Work>PT120H0M0S</Work></Task></Tasks><Resources>"
    "<Resource><UID>1</UID><Name>Ann</Name><Type>1</Type><CalendarUID>2</CalendarUID>"
    "<EmailAddress>ann@x.example</EmailAddress></Resource>"
    "<Resource><UID>2</UID><Name>Bob</Name><Type>1</Type><CalendarUID>3</CalendarUID></Resource>"
    "<Resource><UID>3</UID><Name>Cid</Name><Type>1</Type><AvailabilityPeriods><AvailabilityPeriod>"
    "<AvailableFrom>2026-01-12T00:00:00</AvailableFrom><AvailableTo>2026-01-18T00:00:00</AvailableTo>"
    "<AvailableUnits>0.5</AvailableUnits></AvailabilityPeriod></AvailabilityPeriods></Resource>"
    "<Resource><UID>4</UID><Name>Crew</Name><Type>1</Type><IsGeneric>1</IsGeneric></Resource>"
    "<Resource><UID>5</UID><Name>Cement</Name><Type>0</Type></Resource></Resources><Assignments><Assignment>"
    "<UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID><Start>2026-01-05T08:00:00</Start>"
    "<Finish>2026-01-23T16:00:00</Finish><Work>PT104H0M0S</Work></Assignment></Assignments></Project>"
)


def weeks(opened: Any, base: Path) -> dict[str, list[float]]:
    """Return the hours of the three weeks of the plan, by person."""
    with feed_view(opened, base) as view:
        found = view.connection.execute(
            "SELECT person_label, list(capacity_s / 3600.0 ORDER BY week_start) FROM fact_capacity_week "
            "JOIN dim_person USING (person_key) WHERE week_start BETWEEN '2026-01-05' AND '2026-01-19' "
            "GROUP BY 1"
        ).fetchall()
    return dict(found)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "plan.xml").write_text(PLAN)
    return tmp_path


def sync(store: Any, base: Path) -> Any:
    return sync_once(store, MsProjectSource(name="p", path="*.xml"), base=base)


@pytest.mark.long
def test_days_of_resources(store: Any, base: Path) -> None:
    """Vacations, weeks of their own and units, over the weeks of the plan; who is nobody has none."""
    report = sync(store, base)

    assert "ok" == report.verdict
    assert {"Ann": [40.0, 24.0, 40.0], "Bob": [12.0, 12.0, 12.0], "Cid": [0.0, 20.0, 0.0]} == weeks(
        store, base
    )
