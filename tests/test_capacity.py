"""What people can work: by people.csv and the company's calendar, else as their tool's calendars say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from filling import fill

from hub.feed import BuildOptions, build
from hub.records import (
    Account,
    Allocation,
    Calendar,
    Capacity,
    Container,
    Person,
    PersonLink,
    Record,
)
from hub.store import Store
from hub.testing import store

__all__ = ["store"]
HOURS = 3600


def told(account: str, start: str, finish: str, hours: int, mask: str, units: float = 1.0) -> Capacity:
    return Capacity(
        id=f"{account}/k/{start}/{mask}", account_id=account, container_id="s:c", start_on=start,
        finish_on=finish, weekdays=mask, seconds=hours * HOURS, units=units,
    )  # fmt: skip


def weeks(
    store: Store, tmp_path: Path, people: list[Record], *accounts: str
) -> dict[str, list[tuple[float, float]]]:
    """Return hours of capacity and of planned work in the weeks of 5 and 12 January 2026, by person.

    Each account has eight hours on the first Monday, eight hours a day in the first week by its tool, and is
    on vacation from Wednesday of the second week on.
    """
    rows: list[Record] = [Container(id="s:c", kind="plan", code="P", name="P", seconds_per_day=8 * HOURS)]
    for one in accounts:
        rows += [
            Account(id=one, display_name=one),
            Allocation(id=f"{one}/p", account_id=one, container_id="s:c", start_on="2026-01-05",
                       finish_on="2026-01-05", seconds=8 * HOURS),
            Allocation(id=f"{one}/q", account_id=one, container_id="s:c", start_on="2026-01-12",
                       finish_on="2026-01-12", seconds=8 * HOURS),
            told(one, "2026-01-05", "2026-01-11", 8, "1111100"),
            told(one, "2026-01-05", "2026-01-11", 0, "0000011"),
            told(one, "2026-01-12", "2026-01-18", 8, "1100000"),
            told(one, "2026-01-12", "2026-01-18", 0, "0011111"),
        ]  # fmt: skip
    links: list[Record] = [
        PersonLink(id=f"match:{one.id}", account_id="s:a", person_id=one.id, state="accepted", method="email",
                   score=1)
        for one in people
        if isinstance(one, Person)
    ]  # fmt: skip
    fill(store, people, rows, links)
    folder = build(store.engine, tmp_path / "feed", BuildOptions(country="FR")).folder
    found = (
        duckdb.connect()
        .execute(
            "SELECT person_label, capacity_s / 3600, allocated_s / 3600 "
            f"FROM '{folder}/fact_capacity_week/**/*.parquet' "
            f"JOIN '{folder}/dim_person/**/*.parquet' USING (person_key) "
            "WHERE week_start IN ('2026-01-05', '2026-01-12') ORDER BY week_start"
        )
        .fetchall()
    )
    by: dict[str, list[tuple[float, float]]] = {}
    for name, *hours in found:
        by.setdefault(name, []).append(tuple(hours))
    return by


@pytest.mark.long
def test_whom_people_csv_does_not_name(store: Store, tmp_path: Path) -> None:
    """Hours of the tool's own days, days off as it knows them."""
    assert {"s:a": [(40, 8), (16, 8)]} == weeks(store, tmp_path, [], "s:a")


@pytest.mark.long
def test_whom_people_csv_names_without_a_calendar(store: Store, tmp_path: Path) -> None:
    """The company's hours and the line's part of a day, less the days off; others keep their tool's."""
    person = Person(id="config:p", display_name="Ann", fte=0.5)

    assert {"Ann": [(17.5, 7), (7, 7)], "s:b": [(40, 8), (16, 8)]} == weeks(
        store, tmp_path, [person], "s:a", "s:b"
    )


@pytest.mark.long
def test_a_calendar_of_people_csv_wins(store: Store, tmp_path: Path) -> None:
    """Whom people.csv gives a calendar works by it, whatever the tool says."""
    people: list[Record] = [
        Person(id="config:p", display_name="Ann", calendar_id="four"),
        Calendar(id="config:k", code="four", week_mask="1111000", seconds_per_day=7 * HOURS),
    ]

    assert {"Ann": [(28, 7), (28, 7)]} == weeks(store, tmp_path, people, "s:a")


@pytest.mark.long
@pytest.mark.parametrize(("day", "hours"), [("2026-01-01", 0), ("2026-01-02", 4)])
def test_public_holidays_and_units(store: Store, tmp_path: Path, day: str, hours: int) -> None:
    """Nobody works on a public holiday that a tool does not know; half of somebody works half of a day."""
    rows: list[Record] = [
        Container(id="s:c", kind="plan", code="P", name="P", seconds_per_day=8 * HOURS),
        Account(id="s:a", display_name="A"),
        Allocation(
            id="s:p", account_id="s:a", container_id="s:c", start_on=day, finish_on=day, seconds=HOURS
        ),
        told("s:a", day, day, 8, "1111111", 0.5),
    ]
    fill(store, [], rows, [])
    folder = build(store.engine, tmp_path / "feed", BuildOptions(country="FR")).folder
    found = (
        duckdb.connect()
        .execute(f"SELECT sum(capacity_s) / 3600 FROM '{folder}/fact_capacity_week/**/*.parquet'")
        .fetchall()
    )

    assert [(hours,)] == found
