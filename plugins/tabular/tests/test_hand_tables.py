"""Tables as people of many countries have them, with the figures that a person adds up by hand.

Each is read right by what is suggested for it, or it is said what is not: never green while wrong.

`hand_tables.txt` holds the texts. A line that begins with ``===`` says what a table is called, its file, and
the hours (or amounts by kind, or tasks) that a person counts; then, where not all of it can be read or it is
not sure, the verdict and what is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_tabular.suggest import suggest_mapping

from hub import SourceDataError
from hub.store import Store
from hub.testing import store
from plugins.tabular.tests.test_odd_tables import book
from plugins.tabular.tests.test_suggest import lines, synced

__all__ = ["store"]


class Table(msgspec.Struct, frozen=True):
    """A table, and what a person adds up, and *told* what has to be said of it with which *verdict*."""

    file: str
    content: str
    figures: dict[str, float]
    verdict: str
    told: str


_WANTED = re.compile(r"(?P<figures>[\w.= -]*?)\s*(?:(?P<verdict>told|partial|failed|refused): (?P<told>.+))?")


def tables() -> dict[str, Table]:
    """Return the tables of the file beside this one."""
    whole = (Path(__file__).parent / "hand_tables.txt").read_text(encoding="utf-8")
    found: dict[str, Table] = {}
    for part in whole.removeprefix("=== ").split("\n=== "):
        head, _, content = part.partition("\n")
        name, file, wanted = head.split(" | ")
        match = _WANTED.fullmatch(wanted)
        assert match is not None, head
        assert name not in found
        pairs = [one.rpartition("=") for one in match["figures"].split()]
        figures = {kind or "worklog": float(figure) for kind, _, figure in pairs}
        verdict = {None: "ok", "told": "ok"}.get(match["verdict"], match["verdict"])
        for mark, sign in (("\\u202f", "\u202f"), ("\\u00a0", "\u00a0")):
            content = content.replace(mark, sign)
        found[name] = Table(file, content.rstrip("\n") + "\n", figures, verdict, match["told"] or "")
    return found


TABLES = tables()


def outcome(path: Path, store: Store) -> tuple[str, dict[str, float], str]:
    """Return the verdict, the hours and amounts in the store, and all that was said."""
    try:
        said = suggest_mapping(path)
    except SourceDataError as exc:
        return "refused", {}, str(exc)
    report = synced(path, store, said, tz="Europe/Paris")
    figures = {row["kind"]: row["n"] for row in store.rows(
        "SELECT kind, sum(amount_minor) / 100.0 AS n FROM budget_line GROUP BY kind"
    )}  # fmt: skip
    for table in ("worklog", "allocation"):
        (row,) = store.rows(f"SELECT sum(seconds) / 3600.0 AS n FROM {table}")
        figures |= {table: round(row["n"], 4)} if row["n"] else {}
    (row,) = store.rows("SELECT count(*) AS n FROM task")
    figures |= {"task": row["n"]} if row["n"] else {}
    return report.verdict, figures, "\n".join([*report.rejections, *report.missing, *report.notes, said])


KINDS = ("clock ", "weekdays ", "minutes ")


def named(kind: str) -> list[str]:
    return [name for name in TABLES if name.startswith(kind)]


@pytest.mark.sample(48)
@pytest.mark.parametrize("name", [name for name in TABLES if not name.startswith(KINDS)])
def test_a_text(tmp_path: Path, store: Store, name: str) -> None:
    """The figures are those of the hand; what is not read is said."""
    holds(tmp_path, store, name)


@pytest.mark.parametrize("name", named("clock "))
def test_hours_by_when_they_began_and_ended(tmp_path: Path, store: Store, name: str) -> None:
    """Over midnight and the change of the clocks, less the pause; what has no end is a rejection."""
    holds(tmp_path, store, name)


@pytest.mark.parametrize("name", named("weekdays "))
def test_columns_of_days_of_the_week(tmp_path: Path, store: Store, name: str) -> None:
    """The week stands in a column, in a title, in a name, or over its days; else it is asked for."""
    holds(tmp_path, store, name)


@pytest.mark.parametrize("name", named("minutes "))
def test_decimals_that_may_be_minutes(tmp_path: Path, store: Store, name: str) -> None:
    """7:30 or 7.60 in the column decide it; where nothing does it is told."""
    holds(tmp_path, store, name)


def holds(tmp_path: Path, store: Store, name: str) -> None:
    table = TABLES[name]
    path = tmp_path / table.file
    path.write_text(table.content, encoding="utf-8")
    verdict, figures, said = outcome(path, store)

    assert (table.figures, table.verdict) == (figures, verdict), said
    assert table.told in said


DAY = date(2026, 10, 5)
CLOCKS = ["Name", "Projekt", "Datum", "Kommen", "Gehen", "Pause"]
KW = ["Name", "Projekt", "Mo", "Di", "Mi", "Do", "Fr"]


def merged(*ranges: str) -> Callable[[Any], None]:
    return lambda made: [made.worksheets[0].merge_cells(one) for one in ranges] and None


def shown(column: int, form: str) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        for row in made.worksheets[0].iter_rows(min_row=2, min_col=column, max_col=column):
            row[0].number_format = form

    return change


Sheets = dict[str, list[list[Any]]]
Change = Callable[[Any], None]
BOOKS: dict[str, tuple[str, Sheets, Change | None, list[tuple[str, float]]]] = {
    "merged names": (
        "Temps", {"A": [["Nom", "Projet", "Date", "Heures"], ["Zoé", "WEB", DAY, 7],
                        [None, "WEB", DAY + timedelta(days=1), 6]]}, merged("A2:A3"),
        [("2026-10-05", 7), ("2026-10-06", 6)],
    ),
    "times of the day": (
        "Zeiten", {"A": [CLOCKS, ["Z", "W", DAY, time(8), time(16, 30), time(0, 30)],
                         ["Z", "W", date(2026, 10, 6), time(22), time(6), time(0, 0)]]}, None,
        [("2026-10-05", 8), ("2026-10-06", 8)],
    ),
    "stamps": (
        "Zeiten", {"A": [["Name", "Projekt", "Beginn", "Ende"],
                         ["Z", "W", datetime(2026, 10, 5, 8), datetime(2026, 10, 5, 16, 30)],
                         ["Z", "W", datetime(2026, 10, 6, 22), datetime(2026, 10, 7, 6)]]}, None,
        [("2026-10-05", 8.5), ("2026-10-06", 8)],
    ),
    "durations": (
        "Temps", {"A": [["Nom", "Projet", "Date", "Durée"], ["Z", "W", DAY, timedelta(hours=7, minutes=30)]]},
        shown(4, "[h]:mm"), [("2026-10-05", 7.5)],
    ),
    "weeks in names of sheets": (
        "Zeiten 2026",
        {"KW 41": [KW, ["Z", "W", 8, None, None, None, 7.5]], "KW 42": [KW, ["Z", "W", None, 4]]}, None,
        [("2026-10-05", 8), ("2026-10-09", 7.5), ("2026-10-13", 4)],
    ),
    "weeks above each sheet": (
        "Zeiten", {"A": [["Kalenderwoche 41/2026"], KW, ["Z", "W", 8, None, None, None, 7.5]],
                   "B": [["Kalenderwoche 42/2026"], KW, ["Z", "W", None, 4]]},
        None, [("2026-10-05", 8), ("2026-10-09", 7.5), ("2026-10-13", 4)],
    ),
    "months over their days": (
        "Temps", {"A": [["Nom", "Projet", date(2026, 10, 1), *[None] * 30, date(2026, 11, 1), *[None] * 29],
                        [None, None, *range(1, 32), *range(1, 31)], ["Z", "W", 7, *[None] * 29, 6, 5]]},
        merged("A1:A2", "B1:B2", "C1:AG1", "AH1:BK1"),
        [("2026-10-01", 7), ("2026-10-31", 6), ("2026-11-01", 5)],
    ),
    "weeks over their days": (
        "Temps 2026", {"A": [["Nom", "Projet", "S41", None, None, "S42", None, None],
                             [None, None, "Lun", "Mar", "Mer", "Lun", "Mar", "Mer"],
                             ["Z", "W", 7, 7, None, None, 6, 5]]},
        merged("A1:A2", "B1:B2", "C1:E1", "F1:H1"),
        [("2026-10-05", 7), ("2026-10-06", 7), ("2026-10-13", 6), ("2026-10-14", 5)],
    ),
    "days of the week over their dates": (
        "Zeiten", {"A": [["Name", "Projekt", "Mo", "Di", "Mi"],
                         [None, None, *(date(2026, 10, n) for n in (5, 6, 7))], ["Z", "W", 8, 7, 6]]}, None,
        [("2026-10-05", 8), ("2026-10-06", 7), ("2026-10-07", 6)],
    ),
    "sums by formulas without their values": (
        "Temps 2026", {"A": [["Nom", "Projet", "S41", "S42", "Total"], ["Z", "W", 7, 8, "=C2+D2"],
                             ["Total", None, "=C2", "=D2", "=E2"]]}, None,
        [("2026-10-05", 7), ("2026-10-12", 8)],
    ),
    "months as days of the workbook": (
        "Temps", {"A": [["Nom", "Projet", date(2026, 1, 1), date(2026, 2, 1)], ["Z", "W", 100, 110]]}, None,
        [("2026-01-01", 100), ("2026-02-01", 110)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook(tmp_path: Path, store: Store, name: str) -> None:
    """Days and hours are those of the hand."""
    file, sheets, change, wanted = BOOKS[name]
    path = book(tmp_path / f"{file}.xlsx", sheets, change)
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert wanted == lines(store)


WEEKDAYS = {
    "weekdays kw col 2026": "2026-10-05 2026-10-16", "weekdays title": "2026-10-05 2026-10-09",
    "weekdays title dates": "2026-10-05 2026-10-09", "weekdays week of us": "2026-10-04 2026-10-12",
    "weekdays week ending": "2026-10-05 2026-10-16", "weekdays file": "2026-10-05 2026-10-07",
    "weekdays blocks": "2026-10-05 2026-10-13", "weekdays over": "2026-10-05 2026-10-13",
    "weekdays months": "2026-10-01 2026-11-02", "weekdays rows": "2026-10-05 2026-10-06",
}  # fmt: skip


@pytest.mark.parametrize("name", WEEKDAYS)
def test_days_of_the_week(tmp_path: Path, store: Store, name: str) -> None:
    """The first and the last day are those of the calendar."""
    path = tmp_path / TABLES[name].file
    path.write_text(TABLES[name].content, encoding="utf-8")
    synced(path, store)
    days = [day for day, _ in lines(store)]

    assert WEEKDAYS[name] == f"{min(days)} {max(days)}"


@pytest.mark.parametrize(
    ("field", "rows", "wanted", "said"),
    [
        ('start = "V", end = "B", pause = "P"', "08:00;16:00;30", [], "is a number without its unit"),
        ('start = "V", end = "B", pause = "P", unit = "minutes"', "08:00;16:00;30", [7.5], ""),
        ('start = "V", end = "B", pause = "P", unit = "hours"', "08:00;16:00;0,5", [7.5], ""),
        ('start = "V", end = "B", pause = "P"', "08:00;16:00;0:45", [7.25], ""),
        ('start = "V", end = "B", pause = "P"', "08:00;09:00;1:30", [], "is longer than the time itself"),
        ('start = "V", end = "B"', "08:00;08:00;", [], "ends when it begins: nothing, or a whole day?"),
        ('start = "V", end = "B"', ";12:00;", [], "has an end and no beginning"),
        ('start = "V", end = "B"', "02:30;08:00;", [], "makes twice, or skips"),
        ('start = "V", end = "B"', "00:00;24:00;", [], "is more than 24 hours on one day"),
        ('start = "V", end = "B"', "00:00;08:00;", [9], ""),
        ('start = "V", end = "B"', "8,5;12;", [], "is no time of the day such as 08:30"),
        ('start = "V"', "08:00;12:00;", None, "needs as many columns in start as in end"),
        ('column = "V", start = "V", end = "B"', "08:00;12:00;", None, "needs as many columns"),
    ],
)
def test_mappings_of_clocks(
    tmp_path: Path, store: Store, field: str, rows: str, wanted: list[float] | None, said: str
) -> None:
    """On 25 October 2026 the clocks of Paris are put back at 3: the day has 25 hours."""
    (tmp_path / "t.csv").write_text(f"N;D;V;B;P\nZ;2026-10-25;{rows}\n", encoding="utf-8")
    mapping = f'record = "worklog"\n[fields]\naccount_id = "N"\nday = "D"\nseconds = {{ {field} }}\n'
    report = synced(tmp_path / "t.csv", store, mapping, tz="Europe/Paris", max_rejected=1)

    assert (wanted or []) == [hours for _, hours in lines(store)]
    assert said in "\n".join([*report.rejections, *report.missing])
    assert ("ok" if not said else "failed" if wanted is None else "partial") == report.verdict


def test_weekdays_that_nothing_names(tmp_path: Path, store: Store) -> None:
    """A word that the mapping does not have costs its row; days out of the week are refused."""
    (tmp_path / "t.csv").write_text("N;W;D;H\nZ;2026-W41;Mo;7\nZ;2026-W41;X;6\n", encoding="utf-8")
    mapping = (
        'record = "worklog"\n[fields]\naccount_id = "N"\nseconds = { column = "H", unit = "hours" }\n'
        'day = { column = "W", format = "week", weekday = "D", weekdays = { Mo = 1 } }\n'
    )
    report = synced(tmp_path / "t.csv", store, mapping, max_rejected=1)
    assert (["2026-10-05"], 1) == ([day for day, _ in lines(store)], report.rejected)
    assert "'X' is not one of Mo" in report.rejections[0]

    report = synced(tmp_path / "t.csv", store, mapping.replace("Mo = 1", "Mo = 8"))
    assert "weekdays from 1 (Monday) to 7" in report.missing[0]


@pytest.mark.parametrize(
    ("cell", "hours"), [("7.30", 7.5), ("7:15", 7.25), ("0,45", 0.75), ("7.5", None), ("7.75", None)]
)
def test_hours_by_the_clock(tmp_path: Path, store: Store, cell: str, hours: float | None) -> None:
    """With unit = "clock" the decimals are minutes, two digits of them below 60."""
    (tmp_path / "t.csv").write_text(f"N;D;H\nZ;2026-10-05;{cell}\n", encoding="utf-8")
    mapping = (
        'record = "worklog"\n[fields]\naccount_id = "N"\nday = "D"\n'
        'seconds = { column = "H", unit = "clock" }\n'
    )
    report = synced(tmp_path / "t.csv", store, mapping, max_rejected=1)
    assert ([] if hours is None else [hours]) == [one for _, one in lines(store)]
    assert (hours is None) == bool(report.rejected)
