"""What leaves at once is weighed in rows, hours and amounts, against its file and against each container."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.records import BudgetLine, Container, Record, Worklog
from hub.source import Batch, Census, Partition, Scope
from hub.store import Store
from hub.testing import ScriptedSource, sync_once

CONTAINERS = tuple(Container(id=f"s:c{n}", kind="x", name=f"Code {n}") for n in range(3))


def line(number: int, seconds: int = 3600, container: int = 0) -> Worklog:
    return Worklog(id=f"s:h/{number:03}", day="2026-10-05", seconds=seconds, container_id=f"s:c{container}")


def budget(number: int, minor: int) -> BudgetLine:
    return BudgetLine(id=f"s:h/{number:03}", project_code="A", month="2026-10", kind="revised",
                      category="x", amount_minor=minor, currency="EUR")  # fmt: skip


def read(store: Store, rows: Sequence[Record], *, ordered: bool = True) -> str:
    scope = Scope(records=(Worklog, BudgetLine), id_prefix="s:h/")
    parts = (Partition(id="file", label="hours.csv", complete=True, scope=scope, ordered=ordered),)
    script = {"file": lambda _: [Batch(records=[*CONTAINERS, *rows], cursor=len(rows))]}
    return "; ".join(sync_once(store, ScriptedSource(name="s", script=script, partitions=parts)).held)


def gone(store: Store) -> int:
    return len(store.rows("SELECT 1 FROM worklog WHERE presence = 'deleted'"))


def test_a_file_that_lost_its_end(store: Store) -> None:
    """15 % of the lines, all of them the last ones, with 256 hours: they are held, and named."""
    rows = [line(n, 8 * 3600) for n in range(213)]
    read(store, rows)
    held = read(store, rows[:181])

    assert "the last 32 of 213 worklog rows (256 hours), as if the end had been cut off" in held
    assert 0 == gone(store)


def test_the_same_loss_here_and_there(store: Store) -> None:
    """Lines that somebody took out all over the file leave: nothing speaks of a cut."""
    rows = [line(n) for n in range(250)]
    read(store, rows)
    held = read(store, [row for n, row in enumerate(rows) if n % 7])

    assert ("", 36) == (held, gone(store))


@pytest.mark.parametrize("left", [249, 248, 240])
def test_a_few_last_lines(store: Store, left: int) -> None:
    """The last lines, few of them, are what people correct most: they leave."""
    rows = [line(n) for n in range(250)]
    read(store, rows)
    held = read(store, rows[:left])

    assert ("", 250 - left) == (held, gone(store))


def test_an_end_that_was_replaced(store: Store) -> None:
    """Where lines came after those that are lacking, the end is there."""
    rows = [line(n) for n in range(100)]
    read(store, rows)
    held = read(store, [*rows[:85], *(line(n) for n in range(200, 215))])

    assert ("", 15) == (held, gone(store))


def test_one_line_with_most_of_the_hours(store: Store) -> None:
    """One line of twenty holds 30 % of the hours: it is held."""
    rows = [line(n, 7 * 3600) for n in range(1, 20)] + [line(0, 57 * 3600)]
    read(store, rows, ordered=False)
    held = read(store, rows[:-1], ordered=False)

    assert "57 of 190 hours of worklog rows would leave at once" in held
    assert 0 == gone(store)


def test_one_amount_with_most_of_the_money(store: Store) -> None:
    """One line of ten holds 400 of 1,300 in amounts: it is held."""
    rows = [budget(n, 10000) for n in range(9)] + [budget(9, 40000)]
    read(store, rows)
    held = read(store, rows[:-1])

    assert "400 of 1,300 in amounts of budget_line rows" in held


def test_most_of_one_container(store: Store) -> None:
    """Six of seven lines of one code are lacking in a file of a hundred: they are held, with its name."""
    rows = [line(n) for n in range(93)] + [line(n, container=1) for n in range(100, 107)]
    read(store, rows, ordered=False)
    held = read(store, rows[:94], ordered=False)

    assert "6 of 7 worklog rows of Code 1 would leave at once" in held
    assert 0 == gone(store)


@pytest.mark.parametrize(("lost", "verdict", "hidden"), [(1, "ok", 1), (2, "ok", 2), (3, "partial", 0)])
def test_containers_that_vanish(store: Store, lost: int, verdict: str, hidden: int) -> None:
    """One that cannot be read any more is hidden; when none can, it is an alarm and nothing is hidden."""

    def exists() -> list[Census]:
        return [
            Census(record=Worklog, scope=Scope(records=(Worklog,), container_id=one.id), ids=frozenset(),
                   evidence="403", readable=False)
            for one in CONTAINERS[:lost]
        ]  # fmt: skip

    rows = [line(n, container=n % 3) for n in range(9)]
    script = {"p": lambda _: [Batch(records=[*CONTAINERS, *rows])]}
    sync_once(store, ScriptedSource(name="s", script=script))
    report = sync_once(store, ScriptedSource(name="s", script={"p": lambda _: []}, exists=exists))

    assert verdict == report.verdict
    assert hidden == len(store.rows("SELECT 1 FROM container WHERE presence = 'hidden'"))
