"""What moved between any two cuts: by hand, and against the figures that the cuts themselves keep."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hub_serve.moves import moved

from hub import ConfigError

CUTS = {"A": (1, "2026-01-31"), "B": (2, "2026-02-28"), "C": (3, "2026-03-31"), "D": (4, "2026-03-10"),
        "Now": (0, "2026-04-15")}  # fmt: skip
WAYS = {2: 1, 3: 2, 4: 2, 0: 3}
"""Of each cut the committee that its moves are told from: D is a crisis after B."""
Told = tuple[str, str, str, str, Any, Any, Any]
MOVES: dict[int, list[Told]] = {
    2: [("effort", "spent", "spent", "correction", 10.0, 12.0, 2.0),
        ("effort", "spent", "spent", "news", 12.0, 20.0, 8.0),
        ("milestone", "m1", "finish", "news", "2026-05-01", "2026-05-11", 10.0),
        ("milestone", "m2", "added", "news", None, "2026-06-01", None),
        ("risk", "r1", "risk opened", "news", None, 100.0, 100.0),
        ("scope", "added", "added", "news", 0.0, 3.0, 5.0),
        ("budget", "forecast", "amount", "news", 50.0, 60.0, 10.0)],
    3: [("effort", "spent", "spent", "news", 20.0, 33.0, 13.0),
        ("milestone", "m1", "finish", "correction", "2026-05-11", "2026-05-01", -10.0),
        ("milestone", "m2", "removed", "news", "2026-06-01", None, None),
        ("risk", "r1", "risk closed", "news", 100.0, 0.0, -100.0),
        ("scope", "added", "added", "news", 0.0, 4.0, 6.0),
        ("budget", "forecast", "amount", "definition changed", 60.0, 70.0, None)],
    4: [("effort", "spent", "spent", "news", 20.0, 26.0, 6.0),
        ("milestone", "m1", "finish", "news", "2026-05-11", "2026-05-20", 9.0),
        ("scope", "added", "added", "news", 0.0, 1.0, 2.0)],
    0: [("effort", "spent", "spent", "correction", 33.0, 34.0, 1.0)],
}  # fmt: skip
EXPECTED = {
    ("B", "A"): [("effort", "spent", "correction", 10, 12, 2), ("effort", "spent", "news", 12, 20, 8),
                 ("milestone", "finish", "news", "2026-05-01", "2026-05-11", 10),
                 ("milestone", "added", "news", None, "2026-06-01", None),
                 ("risk", "risk opened", "news", None, 100, 100), ("scope", "added", "news", 0, 3, 5),
                 ("budget", "amount", "news", 50, 60, 10)],
    # m1 is where it was, m2 came and went, r1 was opened on the way, the forecast is defined otherwise
    ("C", "A"): [("effort", "spent", "correction", 10, 12, 2), ("effort", "spent", "news", 12, 33, 21),
                 ("risk", "risk opened", "news", None, 0, 0), ("scope", "added", "news", 0, 7, 11),
                 ("budget", "amount", "definition changed", 50, 70, None)],
    ("Now", "B"): [("effort", "spent", "correction", 20, 21, 1), ("effort", "spent", "news", 21, 34, 13),
                   ("milestone", "finish", "correction", "2026-05-11", "2026-05-01", -10),
                   ("milestone", "removed", "news", "2026-06-01", None, None),
                   ("risk", "risk closed", "news", 100, 0, -100), ("scope", "added", "news", 0, 4, 6),
                   ("budget", "amount", "definition changed", 60, 70, None)],
    # from the crisis D back to B, and forth to C
    ("C", "D"): [("effort", "spent", "news", 26, 33, 7),
                 ("milestone", "finish", "correction", "2026-05-20", "2026-05-01", -19),
                 ("milestone", "removed", "news", "2026-06-01", None, None),
                 ("risk", "risk closed", "news", 100, 0, -100), ("scope", "added", "news", 0, 3, 4),
                 ("budget", "amount", "definition changed", 60, 70, None)],
    ("A", "B"): [("effort", "spent", "news", 20, 12, -8), ("effort", "spent", "correction", 12, 10, -2),
                 ("milestone", "finish", "news", "2026-05-11", "2026-05-01", -10),
                 ("milestone", "removed", "news", "2026-06-01", None, None),
                 ("risk", "risk removed", "news", 100, None, -100),
                 ("budget", "amount", "news", 60, 50, -10)],
}  # fmt: skip


@pytest.fixture(scope="module")
def feed() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE dim_cut (cut_key BIGINT, label VARCHAR, as_of DATE, ordinal BIGINT)")
    for label, (key, day) in CUTS.items():
        connection.execute("INSERT INTO dim_cut VALUES (?, ?, ?, ?)", [key, label, day, key or 9])
    connection.execute(
        "CREATE TABLE fact_move (cut_key BIGINT, vs_cut_key BIGINT, topic VARCHAR, project_key BIGINT, "
        "item_id VARCHAR, cause VARCHAR, item VARCHAR, measure VARCHAR, unit VARCHAR, before_value DOUBLE, "
        "after_value DOUBLE, before_date DATE, after_date DATE, delta DOUBLE)"
    )
    for cut, rows in MOVES.items():
        for topic, item, measure, cause, before, after, delta in rows:
            dates = topic == "milestone"
            values = [None, None, before, after] if dates else [before, after, None, None]
            connection.execute(
                "INSERT INTO fact_move VALUES (?, ?, ?, 7, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    cut,
                    WAYS[cut],
                    topic,
                    item,
                    cause,
                    item,
                    measure,
                    "date" if dates else "days",
                    *values,
                    delta,
                ],
            )
    yield connection
    connection.close()


def shown(found: Any) -> set[tuple[Any, ...]]:
    rows = set()
    for one in found.moves:
        ends: tuple[Any, ...] = (one.before_value, one.after_value)
        if one.topic == "milestone":
            ends = tuple(str(day) if day else None for day in (one.before_date, one.after_date))
        rows.add((one.topic, one.measure, one.cause, *ends, one.delta))
    return rows


@pytest.mark.parametrize(("until", "since"), EXPECTED)
def test_what_moved_is_the_sum_of_the_steps(feed: duckdb.DuckDBPyConnection, until: str, since: str) -> None:
    """Forth over committees, back from a crisis, and from the later cut to the earlier one."""
    found = moved(feed, until=until, since=since)
    expected = {tuple(row) for row in EXPECTED[until, since]}
    if (until, since) == ("A", "B"):  # what was told late is undone last
        expected = {row for row in expected if row[0] != "effort"}
        assert found is not None
        assert {-8.0, -2.0} == {one.delta for one in found.moves if one.topic == "effort"}

    assert found is not None
    assert expected <= shown(found)
    assert (until, since) == (found.until.label, found.since.label)
    if (until, since) != ("A", "B"):
        assert expected == shown(found)


def test_without_labels_it_is_now_and_the_committee_before(feed: duckdb.DuckDBPyConnection) -> None:
    """As the feed tells it; an unknown cut is named, and to nowhere no way leads."""
    found = moved(feed)
    feed.execute("INSERT INTO dim_cut VALUES (5, 'Alone', '2026-01-01', 0)")
    with pytest.raises(ConfigError, match="There is no cut 'Z'"):
        moved(feed, until="Z")

    assert found is not None
    assert ("C", "Now", 1) == (found.since.label, found.until.label, found.steps)
    assert moved(feed, since="Alone") is moved(feed, until="Alone") is None
    feed.execute("DELETE FROM dim_cut WHERE label = 'Alone'")


def test_sums_are_the_differences_of_figures_that_the_cuts_keep(feed: duckdb.DuckDBPyConnection) -> None:
    """Whatever way: all deltas of a figure together lead from its value at one cut to that at the other."""
    spent = {"A": 10.0, "B": 20.0, "C": 33.0, "D": 26.0, "Now": 34.0}
    for until, since in itertools.permutations(spent, 2):
        found = moved(feed, until=until, since=since)
        assert found is not None
        total = sum(one.delta or 0 for one in found.moves if one.topic == "effort")

        assert spent[until] - spent[since] == pytest.approx(total), (until, since)
