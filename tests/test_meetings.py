"""When a committee meets, and of which of its days a cut is due."""

from __future__ import annotations

from datetime import date

import pytest

from hub.errors import ConfigError
from hub.meetings import cut_due, meetings, next_meeting

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("rhythm", "days"),
    [
        # by the calendar of 2026
        ("last friday", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("First Monday", ["2026-01-05", "2026-02-02", "2026-03-02"]),
        ("fourth  thursday", ["2026-01-22", "2026-02-26", "2026-03-26"]),
        ("every 6 weeks from 2025-12-04", ["2026-01-15", "2026-02-26"]),
        ("every week from 2026-03-17", ["2026-03-17", "2026-03-24", "2026-03-31"]),
    ],
)
def test_a_rhythm(rhythm: str, days: list[str]) -> None:
    """A weekday of the month, or every so many weeks from a day on, never before it."""
    found = meetings((), rhythm, date(2026, 1, 1), date(2026, 3, 31))

    assert days == [day.isoformat() for day in found]


@pytest.mark.parametrize(
    "rhythm", ["friday", "last freitag", "every weeks from 2026-13-01", "fifth monday", ""]
)
def test_a_rhythm_that_is_none(rhythm: str) -> None:
    """It is refused with what to write, not read as never."""
    with pytest.raises(ConfigError, match="last friday"):
        meetings((), rhythm, *YEAR)


def test_dates_and_a_rhythm_together() -> None:
    """Days that are listed come beside those of the rhythm, each once."""
    found = meetings(
        (date(2026, 1, 30), date(2026, 1, 12)), "last friday", date(2026, 1, 1), date(2026, 1, 31)
    )

    assert [date(2026, 1, 12), date(2026, 1, 30)] == found
    assert date(2026, 2, 27) == next_meeting((), "last friday", date(2026, 1, 30))
    assert next_meeting((date(2026, 1, 30),), None, date(2026, 1, 30)) is None


@pytest.mark.parametrize(
    ("today", "taken", "due"),
    [
        ("2026-01-29", [], None),  # the day before
        ("2026-01-30", [], "2026-01-30"),
        ("2026-01-30", ["2026-01-30"], None),  # taken this morning
        ("2026-02-04", [], "2026-01-30"),  # the runs of five days failed
        ("2026-02-04", ["2026-02-02"], None),  # somebody took one by hand since
        ("2026-02-08", [], None),  # too long ago: a new configuration takes none of the past
    ],
)
def test_which_cut_is_due(today: str, taken: list[str], due: str | None) -> None:
    """That of the last committee of the week that has none yet."""
    days = [date.fromisoformat(day) for day in taken]
    found = cut_due((), "last friday", date.fromisoformat(today), days)

    assert (date.fromisoformat(due) if due else None) == found


def test_a_rhythm_begins_with_its_first_day() -> None:
    """Before it there is no meeting, and a calendar has a first day."""
    assert date(2026, 12, 4) == next_meeting((), "every 2 weeks from 2026-12-04", date(2026, 1, 1))
    assert date(1, 1, 26) == next_meeting((), "last friday", date.min)
