"""Tables as people really have them: read right by what is suggested for them, or refused by a sentence.

The figures are added up by hand; days are those of the calendar (week 41 of 2026 begins on Monday 5 October).
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hub_tabular.books import look_inside
from hub_tabular.inside import Limits
from hub_tabular.source import TabularSource
from hub_tabular.suggest import suggest_mapping
from openpyxl.styles import Alignment
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from hub import SourceDataError
from hub.store import Store
from hub.testing import store, sync_once
from plugins.tabular.tests import test_files
from plugins.tabular.tests.test_suggest import lines, synced

__all__ = ["store"]


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    """Write a text."""
    path.write_text(content, encoding=encoding)
    return path


def book(
    path: Path,
    sheets: dict[str, list[list[Any]]],
    change: Callable[[Any], None] | None = None,
    *,
    is_1904: bool = False,
) -> Path:
    """Write a workbook, and change it by hand."""
    made = openpyxl.Workbook()
    if is_1904:
        made.epoch = CALENDAR_MAC_1904
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if change:
        change(made)
    made.save(path)
    return path


def amounts(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    """Return the amounts in the store, by these columns."""
    names = ", ".join(columns)
    rows = store.rows(
        f"SELECT {names}, sum(amount_minor) / 100.0 AS s FROM budget_line GROUP BY {names} ORDER BY {names}"
    )
    return [tuple(row.values()) for row in rows]


def people(store: Store) -> dict[str, float]:
    """Return the hours of each person in the store."""
    rows = store.rows("SELECT account_id, sum(seconds) / 3600.0 AS h FROM worklog GROUP BY 1")
    return {row["account_id"].partition(":")[2]: row["h"] for row in rows}


# ---------- budgets with a row a period ----------


@pytest.mark.parametrize(
    ("name", "head", "first", "second", "wanted"),
    [
        ("Budget", "Projet;Trimestre", "T1 2026", "T4 2026", ("2026-01", "2026-10")),
        ("Budget", "Project;Quarter", "Q1 2026", "2026-Q4", ("2026-01", "2026-10")),
        ("Budget 2026", "Projekt;Quartal", "Q2", "Q3", ("2026-04", "2026-07")),
        ("Budget", "Projet;Année;Trimestre", "2026;T1", "2026;2", ("2026-01", "2026-04")),
        ("Budget", "Projet;Semestre", "S1 2026", "2e semestre 2026", ("2026-01", "2026-07")),
        ("Budget", "Projekt;Halbjahr", "H1 2026", "2. Halbjahr 2026", ("2026-01", "2026-07")),
        ("Budget", "Projet;Année", "2026", "2027", ("2026-01", "2027-01")),
        ("Budget 2026", "Projet;Mois", "janvier", "mars", ("2026-01", "2026-03")),
    ],
)
def test_a_budget_with_a_row_a_period(
    tmp_path: Path, store: Store, name: str, head: str, first: str, second: str, wanted: tuple[str, str]
) -> None:
    """An amount stands in the first month of its quarter, half year or year."""
    path = text(tmp_path / f"{name}.csv", f"{head};Budget\nWEB;{first};12 000,00\nERP;{second};8 000,50\n")
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [(wanted[0], 12000), (wanted[1], 8000.5)] == amounts(store, "month")


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("Project;FY2026;FY27", "WEB;12000;8000"),
        ("Projekt;GJ 2026;GJ 2027", "WEB;12000;8000"),
        ("Projet;Exercice;Budget", "WEB;EX2026;12000\nWEB;EX 2027;8000"),
    ],
)
def test_fiscal_years(tmp_path: Path, store: Store, head: str, rows: str) -> None:
    """They are taken to begin in January, and the mapping says so, month by month."""
    path = text(tmp_path / "Budget.csv", f"{head}\n{rows}\n")
    said = suggest_mapping(path)
    report = synced(path, store, said)

    assert "not clear: a fiscal year may begin in another month than January" in said
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-01", 12000), ("2027-01", 8000)] == amounts(store, "month")


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("Project;FY25/26;FY26/27", "WEB;12000;8000"),
        ("Project;Fiscal year;Budget", "WEB;FY25/26;12000\nWEB;2026/2027;8000"),
    ],
)
def test_fiscal_years_over_the_end_of_one(tmp_path: Path, store: Store, head: str, rows: str) -> None:
    """In which month they begin is asked, and nothing is taken before it is said."""
    path = text(tmp_path / "Budget.csv", f"{head}\n{rows}\n")
    said = suggest_mapping(path)
    report = synced(path, store, said)

    assert "say the first month of each year, such as 2025-07" in said
    assert ("failed", []) == (report.verdict, amounts(store, "month"))


# ---------- kinds of amounts ----------

KINDS = [("baseline", 30000), ("committed", 4500), ("consumed", 6500)]


@pytest.mark.parametrize(
    "content",
    [
        "Projekt;Plan;Ist;Obligo\nWEB;20.000,00;5.000,00;4.000,00\nERP;10.000,00;1.500,00;500,00\n",
        "Projekt;Plankosten;Ist-Kosten;Bestellobligo\nWEB;20.000,00;5.000,00;4.000,00\nERP;10.000;1.500;500,00\n",
        (
            "Projekt;Monat;Wertart;Betrag\nWEB;2026-01;Plan;20.000,00\nWEB;2026-01;Ist;5.000,00\n"
            "WEB;2026-01;Obligo;4.000,00\nERP;2026-01;Budget;10.000,00\nERP;2026-01;Ist;1.500,00\n"
            "ERP;2026-01;Obligo;500,00\n"
        ),
    ],
)
def test_kinds_of_amounts_in_german(tmp_path: Path, store: Store, content: str) -> None:
    """Plan, Ist and Obligo are what was planned, spent and ordered, as headers and in a column."""
    report = synced(text(tmp_path / "Projekte 2026.csv", content), store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert KINDS == amounts(store, "kind")


@pytest.mark.parametrize(("forecast", "wanted"), [((21000, 10000), 20000), ((6000, 7000), 13000)])
def test_a_forecast_that_may_be_either(
    tmp_path: Path, store: Store, forecast: tuple[int, int], wanted: int
) -> None:
    """One that is never below what was spent is what it costs in the end: 21,000 less 10,000, and 9,000."""
    path = text(
        tmp_path / "Budget 2026.csv",
        f"Project;Budget;Actual;Forecast\nWEB;20000;10000;{forecast[0]}\nERP;10000;1000;{forecast[1]}\n",
    )
    said = suggest_mapping(path)
    synced(path, store, said)

    assert ("forecast", wanted) in amounts(store, "kind")
    assert ("Forecast seems to be what it costs in the end" in said) == (wanted == 20000)


def test_a_kind_of_amount_that_nobody_knows(tmp_path: Path, store: Store) -> None:
    """Its rows are refused until the mapping says what it is; the others are right."""
    path = text(
        tmp_path / "Suivi.csv",
        "Projet;Mois;Type;Montant\nWEB;2026-01;Budget;20000\nWEB;2026-02;Budget;1000\nWEB;2026-03;Réel;900\n"
        "WEB;2026-04;Réel;100\nERP;2026-01;Provision;3000\n",
    )
    report = synced(path, store)

    assert ("partial", 1) == (report.verdict, report.rejected)
    assert "'Provision' is not one of Budget, Réel" in report.rejections[0]
    assert [("baseline", 21000), ("consumed", 1000)] == amounts(store, "kind")


def test_small_numbers_under_plan_and_ist(tmp_path: Path, store: Store) -> None:
    """They may be days: nothing says that they are money, and none is taken as such."""
    path = text(tmp_path / "Projekte.csv", "Projekt;Plan;Ist\nWEB;20;14\nERP;10;3\n")
    assert ("failed", []) == (synced(path, store).verdict, amounts(store, "kind"))


# ---------- headers that are numbers, or that may be two things ----------


@pytest.mark.parametrize("is_1904", [False, True])
@pytest.mark.parametrize(
    ("numbers", "days"),
    [
        ((46300, 46301, 46302), ("2026-10-05", "2026-10-06", "2026-10-07")),
        ((46300, 46307, 46314), ("2026-10-05", "2026-10-12", "2026-10-19")),
        ((46296, 46327, 46357), ("2026-10-01", "2026-11-01", "2026-12-01")),
    ],
)
def test_headers_that_are_numbers_of_days(
    tmp_path: Path, store: Store, numbers: tuple[int, ...], days: tuple[str, ...], is_1904: bool
) -> None:
    """Days, weeks and months by which a spreadsheet counts; one of 1904 counts 1462 less."""
    heads = [one - 1462 * is_1904 for one in numbers]
    path = book(
        tmp_path / "Temps.xlsx",
        {"A": [["Nom", "Projet", *heads], ["Zoé", "WEB", 7, 7, None], ["Jo", "ERP", None, 6, 5.5]]},
        is_1904=is_1904,
    )
    said = suggest_mapping(path)
    unit = tomllib.loads(said)["fields"]["seconds"]["unit"]
    report = synced(path, store, said)
    size = 7 if unit == "days" else 1

    assert f"{heads[0]} is {days[0]}" in said
    assert ("ok", []) == (report.verdict, report.rejections)
    assert sorted(
        [(days[0], 7 * size), (days[1], 6 * size), (days[1], 7 * size), (days[2], 5.5 * size)]
    ) == lines(store)


def test_codes_of_accounts_are_no_days(tmp_path: Path) -> None:
    """45100, 45200 and 45300 are days of 2023, but do not follow each other as days do."""
    path = text(tmp_path / "Budget.csv", "Projet;45100;45200;45300\nWEB;100;200;300\n")
    assert "unpivot" not in suggest_mapping(path)


def test_headers_that_may_be_half_years(tmp_path: Path, store: Store) -> None:
    """S1 and S2 alone are half years, and the mapping says that they may be weeks."""
    path = text(tmp_path / "Budget 2026.csv", "Projet;S1 2026;S2 2026\nWEB;12 000;8 000\n")
    said = suggest_mapping(path)
    synced(path, store, said)

    assert "# Not clear: S1 2026 may be a week or a half year." in said
    assert [("2026-01", 12000), ("2026-07", 8000)] == amounts(store, "month")


def test_headers_that_may_be_months(tmp_path: Path, store: Store) -> None:
    """01.2026 is a month rather than a week, with SAP's minus behind the number; the sums stay out."""
    path = text(
        tmp_path / "SAP Ist-Kosten.csv",
        "Projekt;Kostenart;01.2026;02.2026;Gesamtergebnis\nWEB;Extern;12.000,00;1.234,56-;10.765,44\n"
        "ERP;Intern;20.000,00;1.000,00;21.000,00\nGesamtergebnis;;32.000,00;234,56-;31.765,44\n",
    )
    said = suggest_mapping(path)
    report = synced(path, store, said)

    assert "# Not clear: 01.2026 may be a week or a month. Taken as months." in said
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("consumed", "2026-01", 32000), ("consumed", "2026-02", -234.56)] == amounts(
        store, "kind", "month"
    )


@pytest.mark.parametrize(
    "heads", ["05/10\u201309/10;12/10\u201316/10", "05-09/10;12-16/10", "05/10 au 09/10;12/10 au 16/10"]
)
def test_headers_that_are_from_a_day_to_another(tmp_path: Path, store: Store, heads: str) -> None:
    """They are the weeks of 5 and 12 October."""
    path = text(tmp_path / "Temps 2026.csv", f"Nom;Projet;{heads}\nZoé;WEB;35;28\nJo;WEB;14;7\n")
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-05", 14), ("2026-10-05", 35), ("2026-10-12", 7), ("2026-10-12", 28)] == lines(store)


# ---------- pivot tables in compact form ----------

COMPACT = [
    ["Étiquettes de lignes", "S41", "S42"], ["Zoé", 35, 28], [" WEB", 20, 14], [" ERP", 15, 14],
    ["Jo", 7, 14.5], [" WEB", 7, 14.5], ["Total général", 42, 42.5],
]  # fmt: skip


def as_text(rows: list[list[Any]]) -> str:
    return "\n".join(";".join(str(cell).replace(".", ",") for cell in row) for row in rows) + "\n"


def indented(made: Any) -> None:
    """Let the format of a cell say how far it is indented, as Excel does."""
    for (cell,) in made.worksheets[0].iter_rows(max_col=1):
        if cell.value.startswith(" "):
            cell.value, cell.alignment = cell.value.strip(), Alignment(indent=1)


@pytest.mark.parametrize("kind", ["format", "blanks"])
def test_a_compact_pivot_table(tmp_path: Path, store: Store, kind: str) -> None:
    """How far a label is indented says whose it is; the sums of Zoé (63) and Jo (21.5) count once."""
    if kind == "format":
        path = book(tmp_path / "Temps 2026.xlsx", {"A": COMPACT}, indented)
    else:
        path = text(tmp_path / "Temps 2026.csv", as_text(COMPACT))
    said = suggest_mapping(path)
    report = synced(path, store, said)
    rows = store.rows(
        "SELECT container_id AS c, sum(seconds) / 3600.0 AS h FROM worklog GROUP BY 1 ORDER BY 1"
    )

    assert "not clear: what the levels of its labels are (Person: Zoé, Project: WEB)" in said
    assert ("ok", []) == (report.verdict, report.rejections)
    assert {"Zoé": 63, "Jo": 21.5} == people(store)
    assert [("s:ERP", 29), ("s:WEB", 55.5)] == [(row["c"], row["h"]) for row in rows]


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice, which writes XLS")
def test_a_compact_pivot_table_of_another_program(tmp_path: Path, store: Store) -> None:
    """LibreOffice writes an XLS of it: how far labels are indented is read there too."""
    first = book(tmp_path / "Temps 2026.xlsx", {"A": COMPACT}, indented)
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xls",
         "--outdir", str(tmp_path / "in"), str(first)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    synced(tmp_path / "in" / "Temps 2026.xls", store)
    assert {"Zoé": 63, "Jo": 21.5} == people(store)


def test_how_far_a_text_of_an_xlsb_is_indented(tmp_path: Path) -> None:
    """By MS-XLSB 2.4.876 (BrtXF) the twelfth byte of a style says it, for texts and numbers."""
    path = tmp_path / "a.xlsb"
    test_files.xlsb(path)
    with zipfile.ZipFile(path) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    style = bytes([47, 16]) + bytes(16)
    assert 1 == parts["xl/styles.bin"].count(style)
    parts["xl/styles.bin"] = parts["xl/styles.bin"].replace(style, style[:13] + b"\2" + style[14:])
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    shown = look_inside(path, "Oct", Limits()).shown

    assert (2, 2, 0) == (shown[1, 0].indent, shown[1, 3].indent, shown[1, 4].indent)


def test_a_compact_pivot_table_with_days(tmp_path: Path, store: Store) -> None:
    """Its innermost labels are days."""
    rows = [
        ["Row Labels", "Sum of Hours"], ["Zoé", 14], ["  WEB", 14], ["    15/10/2026", 8],
        ["    16/10/2026", 6],
        ["Jo", 7], ["  ERP", 7], ["    15/10/2026", 7], ["Grand Total", 21],
    ]  # fmt: skip
    report = synced(text(tmp_path / "Temps.csv", as_text(rows)), store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-15", 7), ("2026-10-15", 8), ("2026-10-16", 6)] == lines(store)


def test_a_compact_pivot_table_that_lost_its_levels(tmp_path: Path, store: Store) -> None:
    """Where nothing says what is a sum, it is refused by a sentence; a mapping by hand is told the same."""
    rows = [[str(cells[0]).strip(), *cells[1:]] for cells in COMPACT]
    path = text(tmp_path / "Temps 2026.csv", as_text(rows))
    mapping = (
        'record = "worklog"\ndecimal = ","\nunpivot = { per = "week", name = "W", value = "V" }\n[fields]\n'
        'account_id = "Étiquettes de lignes"\nday = "W"\nseconds = { column = "V", unit = "hours" }\n'
    )
    with pytest.raises(SourceDataError, match="Zoé holds the sum of the rows below it"):
        suggest_mapping(path)
    report = synced(path, store, mapping)
    assert "partial" == report.verdict
    assert "Zoé holds the sum of the rows below it, and so do others" in report.missing[0]


@pytest.mark.parametrize(
    "rows",
    [
        [["Zoé", 7, 7], ["Jo", 3, 4], ["Al", 4, 3], ["Li", 7, 5]],
        [["Zoé", 7, 7], ["Jo", 3.5, 3.5], ["Al", 3.5, 3.5], ["Li", 5, 5]],
    ],
)
def test_hours_that_happen_to_add_up(tmp_path: Path, store: Store, rows: list[list[Any]]) -> None:
    """A person who worked as much as two others is no sum of them, unless all rows stand so."""
    path = text(tmp_path / "Temps 2026.csv", as_text([["Nom", "S41", "S42"], *rows]))
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.missing)


# ---------- years that sheets say ----------


def weeks(*names: str) -> list[list[Any]]:
    return [["Nom", "Projet", "Semaine", "Heures"], *(["Zoé", "WEB", name, 35] for name in names)]


@pytest.mark.parametrize(
    ("name", "sheets", "days"),
    [
        (
            "Temps",
            {"2025": weeks("S50", "S51"), "2026": weeks("S2", "S3")},
            ["2025-12-08", "2025-12-15", "2026-01-05", "2026-01-12"],
        ),
        (
            "Temps 2026",
            {"Janvier": weeks("S2", "S3"), "Décembre": weeks("S50", "S51")},
            ["2026-01-05", "2026-01-12", "2026-12-07", "2026-12-14"],
        ),
        ("Temps 2026", {"Décembre": weeks("S50", "S51"), "Janvier": weeks("S2", "S3")}, []),
        ("Temps 2026", {"Zoé": weeks("S5", "S6", "S45", "S46")}, []),
    ],
    ids=["two years", "one year", "may go over its end", "a gap"],
)
def test_weeks_of_several_sheets(
    tmp_path: Path, store: Store, name: str, sheets: dict[str, list[list[Any]]], days: list[str]
) -> None:
    """A gap of more than half a year leaves the year open within what one name says, sheet after sheet."""
    report = synced(book(tmp_path / f"{name}.xlsx", sheets), store)

    assert days == [day for day, _ in lines(store)]
    assert ("ok" if days else "failed") == report.verdict
    assert bool(days) != ("may go over the end of one" in " ".join(report.missing))


def test_a_gap_in_a_year_that_the_mapping_says(tmp_path: Path, store: Store) -> None:
    """Where the mapping says the year, weeks may be missing in the middle."""
    path = book(tmp_path / "Temps.xlsx", {"A": weeks("S5", "S45")})
    said = suggest_mapping(path)
    assert "not clear: are all of one year? Then say it: year = 2026" in said

    report = synced(path, store, said.replace('format = "week"', 'format = "week", year = 2026'))
    assert ("ok", ["2026-01-26", "2026-11-02"]) == (report.verdict, [day for day, _ in lines(store)])


def test_words_that_only_another_sheet_has(tmp_path: Path, store: Store) -> None:
    """What a column of words means is looked for in all sheets that are one table."""
    head = ["Nom", "Projet", "Date", "Heures", "Nature"]
    first = [["Zoé", "WEB", date(2026, 10, day), 7, "Projet"] for day in (5, 6, 7)]
    path = book(
        tmp_path / "Temps.xlsx",
        {"Oct": [head, *first], "Nov": [head, ["Zoé", "WEB", date(2026, 11, 2), 7, "Congés"]]},
    )
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [1] == [
        row["n"] for row in store.rows("SELECT count(*) AS n FROM worklog WHERE category = 'absence'")
    ]


# ---------- cells ----------


@pytest.mark.parametrize("nothing", ["-", "\u2014", "\u2013", "n/a", "N/A", "n.c."])
def test_dashes_in_a_crosstab(tmp_path: Path, store: Store, nothing: str) -> None:
    """They are no hours, and no reason to take a column of weeks for something else."""
    path = text(
        tmp_path / "Temps 2026.csv",
        f"Nom;Projet;S41;S42\nZoé;WEB;35;{nothing}\nZoé;ERP;{nothing};{nothing}\nJo;WEB;7;35\n",
    )
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-05", 7), ("2026-10-05", 35), ("2026-10-12", 35)] == lines(store)


def test_dashes_where_there_is_no_day(tmp_path: Path, store: Store) -> None:
    """A task without a day to be done costs no row; hours without a figure do."""
    path = text(
        tmp_path / "Tâches.csv",
        "Tâche;Projet;Échéance;Statut\nA;WEB;TBD;Ouvert\nB;WEB;-;Clos\nC;WEB;31/12/2026;Clos\n",
    )
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [None, None, "2026-12-31"] == [
        row["due_on"] for row in store.rows("SELECT due_on FROM task ORDER BY title")
    ]

    path = text(
        tmp_path / "Temps.csv", "Nom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nZoé;WEB;16/10/2026;-\n"
    )
    report = synced(path, store)
    assert (1, [("2026-10-15", 7)]) == (report.rejected, lines(store))


def test_names_in_two_ways_to_write_accents(tmp_path: Path, store: Store) -> None:
    """A Mac writes é as two characters: it is one person, and one header."""
    content = "Prénom Nom;Projet;Date;Durée\nZoé Ü;WEB;05/10/2026;7\n"
    other = unicodedata.normalize("NFD", content).replace("05/10", "15/10").partition("\n")[2]
    path = text(tmp_path / "Temps.csv", content + other)
    report = synced(path, store)
    assert ("ok", [], {"Zoé Ü": 14}) == (report.verdict, report.rejections, people(store))

    text(tmp_path / "Temps.csv", unicodedata.normalize("NFD", content))
    mapping = suggest_mapping(path)
    report = sync_once(
        store,
        TabularSource(name="t", path="Temps.csv", mapping=text(tmp_path / "n.toml", mapping).name),
        base=tmp_path,
    )
    assert ("ok", []) == (report.verdict, report.rejections)


@pytest.mark.parametrize(("yes", "no"), [("☑", "☐"), ("✓", "✗"), ("ja", "nein"), ("wahr", "falsch")])
def test_boxes_that_are_ticked(tmp_path: Path, store: Store, yes: str, no: str) -> None:
    """A ticked box is yes."""
    path = text(
        tmp_path / "Temps.csv",
        f"Nom;Projet;Date;Heures;Facturable\nZoé;WEB;15/10/2026;7;{yes}\nZoé;WEB;16/10/2026;7;{no}\n",
    )
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [1, 0] == [row["billable"] for row in store.rows("SELECT billable FROM worklog ORDER BY day")]


def test_a_checklist_of_boxes(tmp_path: Path, store: Store) -> None:
    """A list of no name is called like its file."""
    path = text(tmp_path / "Recette.csv", "Réf;Contrôle;Projet;État\n1;A;WEB;☑\n2;B;WEB;☐\n3;C;WEB;✓\n")
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert ["ok", "todo", "ok"] == [
        row["state"] for row in store.rows("SELECT state FROM checklist_item ORDER BY label")
    ]


def test_efforts_with_their_units(tmp_path: Path, store: Store) -> None:
    """7.5 h, a day, two Personentage and 1h30 are 30 hours of seven a day."""
    path = text(
        tmp_path / "Temps.csv",
        "Nom;Projet;Date;Charge\nZoé;WEB;12/10/2026;7,5 h\nZoé;WEB;13/10/2026;1j\nJo;WEB;14/10/2026;2 PT\n"
        "Jo;WEB;15/10/2026;1h30\n",
    )
    report = synced(path, store, hours_per_day=7)
    assert ("ok", {"Zoé": 14.5, "Jo": 15.5}) == (report.verdict, people(store))


@pytest.mark.parametrize(("header", "hours"), [("Temps", 21), ("Heures", 3)])
def test_parts_of_a_day(tmp_path: Path, store: Store, header: str, hours: float) -> None:
    """A column of halves and ones is of days, unless its header says hours: a guess, and said to be one."""
    path = text(
        tmp_path / "cra.csv",
        f"Nom;Projet;Date;{header}\nZoé;WEB;12/10/2026;0,5\nZoé;ERP;12/10/2026;0,5\nJo;WEB;15/10/2026;1\n"
        "Jo;WEB;16/10/2026;1\n",
    )
    said = suggest_mapping(path)
    synced(path, store, said, hours_per_day=7)

    assert hours == sum(one for _, one in lines(store))
    assert ("not clear: no row is above 1, days or hours" in said) == (header == "Temps")


def test_amounts_as_the_swiss_and_accountants_write_them(tmp_path: Path, store: Store) -> None:
    """1'234.50 twice, with both apostrophes, and (234.50) below nought."""
    path = text(
        tmp_path / "Budget.csv",
        "Projekt;Monat;Art;Betrag\nWEB;01.2026;Plan;1'234.50\nWEB;02.2026;Plan;1\u2019234.50\n"
        "WEB;03.2026;Plan;(234.50)\n",
    )
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [("baseline", 2234.5)] == amounts(store, "kind")


def test_durations_above_a_day(tmp_path: Path, store: Store) -> None:
    """38 h 30 and 35 h of two weeks, shown as [h]:mm; nobody asks whether they are days."""

    def form(made: Any) -> None:
        for row in made.worksheets[0].iter_rows(min_row=2, min_col=3):
            for cell in row:
                cell.number_format = "[h]:mm"

    rows = [
        ["Nom", "Projet", "S41", "S42", "Total"],
        ["Zoé", "WEB", timedelta(hours=38, minutes=30), timedelta(hours=35), timedelta(hours=73, minutes=30)],
    ]
    path = book(tmp_path / "Temps 2026.xlsx", {"A": rows}, form)
    said = suggest_mapping(path)
    assert ("ok", []) == ((report := synced(path, store, said)).verdict, report.rejections)
    assert [("2026-10-05", 38.5), ("2026-10-12", 35)] == lines(store)
    assert "days or hours" not in said


# ---------- what stands around and beside a table ----------


def test_notes_below_a_table(tmp_path: Path, store: Store) -> None:
    """They are counted as left out; a note behind a figure costs its row."""
    path = text(
        tmp_path / "Temps.csv",
        "Nom;Projet;Date;Heures\nZoé;WEB;15/10/2026;7\nJo;WEB;16/10/2026;3,5\nJo;WEB;17/10/2026;2\n"
        "Al;WEB;17/10/2026;2\nAl;WEB;18/10/2026;7 (1)\n\n(1) dont 1 h de trajet\n* source : paie\n",
    )
    report = synced(path, store)

    assert ("partial", 1, []) == (report.verdict, report.rejected, report.missing)
    assert "'7 (1)' is not a number" in report.rejections[0]
    assert 14.5 == sum(hours for _, hours in lines(store))


def test_hidden_rows_are_read_and_said(tmp_path: Path, store: Store) -> None:
    """A filter hides rows from a person, not from the hub."""

    def hide(made: Any) -> None:
        made.worksheets[0].row_dimensions[3].hidden = True

    rows = [
        ["Nom", "Projet", "Date", "Heures"],
        *(["Zoé", "WEB", date(2026, 10, day), 7] for day in (5, 6, 7)),
    ]
    report = synced(book(tmp_path / "Temps.xlsx", {"A": rows}, hide), store)

    assert ("ok", 21) == (report.verdict, sum(hours for _, hours in lines(store)))
    assert ["Temps.xlsx: 1 row is hidden in the file, and was read"] == report.notes


def test_two_tables_of_two_people_beside_each_other(tmp_path: Path, store: Store) -> None:
    """Half of the hours are never taken for all of them."""
    day = date(2026, 10, 5)
    rows: list[list[Any]] = [
        ["Zoé", None, None, None, "Jo"],
        ["Date", "Projet", "Heures", None, "Date", "Projet", "Heures"],
        [day, "WEB", 7, None, day, "ERP", 7],
        [day + timedelta(days=1), "WEB", 7, None, day + timedelta(days=1), "ERP", 7],
    ]
    path = book(tmp_path / "Temps.xlsx", {"A": rows})
    with pytest.raises(SourceDataError, match="several tables stand beside each other"):
        suggest_mapping(path)
    budget = tmp_path / "Two.xlsx"
    rows = [
        ["Nom", "Projet", "Date", "Heures", None, "Projet", "Budget"],
        ["Zoé", "WEB", day, 7, None, "WEB", 1000],
    ]
    report = synced(book(budget, {"A": rows}), store)
    assert ("failed", []) == (report.verdict, lines(store))
    assert "the column 'Projet' stands more than once in row 1" in report.missing[0]


def test_headers_in_two_languages(tmp_path: Path, store: Store) -> None:
    """The second row of headers is no row of data."""
    path = text(
        tmp_path / "Temps.csv",
        "Nom;Projet;Date;Heures\nName;Project;Day;Hours\nZoé;WEB;05/10/2026;7\nJo;WEB;15/10/2026;3,5\n",
    )
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [("2026-10-05", 7), ("2026-10-15", 3.5)] == lines(store)


@pytest.mark.parametrize(
    "content",
    [
        "Project,Type,Key,Title,Zoe Klein,Jo Petit,Total\nWEB,Story,W-1,A,4,3.5,7.5\nWEB,Bug,W-2,B,2,8,10\n",
        "Nom,Projet,Période,Heures\nZoé,WEB,05/10\u201309/10,35\nJo,WEB,12/10\u201313/10,14\n",
    ],
    ids=["a column a person", "no year"],
)
def test_numbers_that_nothing_takes(tmp_path: Path, store: Store, content: str) -> None:
    """A table of hours without a day that can be read is no list of tasks: it is asked about."""
    path = text(tmp_path / "timesheet.csv", content)
    assert "failed" == synced(path, store).verdict
    assert [] == store.rows("SELECT 1 FROM task")


EXPORTS = {
    "Personio": """\
Mitarbeiter,Personalnummer,Datum,Start,Ende,Pause (Min.),Arbeitszeit,Projekt,Kommentar
Zoe Klein,12,05.10.2026,08:00,16:30,30,08:00,WEB,
Zoe Klein,12,06.10.2026,08:00,15:45,30,07:15,WEB,
Jo Petit,13,07.10.2026,09:00,13:00,0,04:00,ERP,
""",
    "Clockodo": """\
Kunde;Projekt;Mitarbeiter;Datum;Beginn;Ende;Dauer;Dauer (Industriestunden);Abrechenbar;Umsatz
Acme;WEB;Zoe Klein;05.10.2026;08:00;11:30;03:30;3,50;ja;280,00
Acme;ERP;Jo Petit;06.10.2026;13:00;15:30;02:30;2,50;nein;0,00
""",
    "Everhour": """\
Date,Member,Client,Project,Task,Billable,Reported time,Estimate
10/05/2026,Zoe,Acme,WEB,Design,Yes,03:30:00,8:00:00
10/16/2026,Jo,Acme,ERP,Run,No,03:00:00,
""",
}
WORKED = {
    "Personio": {"12": 15.25, "13": 4},
    "Clockodo": {"Zoe Klein": 3.5, "Jo Petit": 2.5},
    "Everhour": {"Zoe": 3.5, "Jo": 3},
}


@pytest.mark.parametrize("tool", EXPORTS)
def test_exports_of_other_tools(tmp_path: Path, store: Store, tool: str) -> None:
    """The duration is taken, not the start, the end, the break or the estimate."""
    report = synced(text(tmp_path / "export.csv", EXPORTS[tool]), store)

    assert ("ok", [], WORKED[tool]) == (report.verdict, report.rejections, people(store))


def test_the_time_tracking_report_of_jira(tmp_path: Path, store: Store) -> None:
    """Three days of eight hours are estimated, 16 hours are spent; the issues are called by their summary."""
    path = text(
        tmp_path / "Time tracking.csv",
        "Type,Key,Status,Priority,Summary,Original Estimate,Estimated Time Remaining,Time Spent,Accuracy\n"
        "Story,WEB-1,In Progress,High,Form,2d,1d,1d 2h,-2h\nBug,WEB-2,Done,Low,Fix,1d,0,6h,2h\n",
    )
    report = synced(path, store, hours_per_day=8)
    found = store.rows("SELECT title, estimate_s / 3600 AS e, spent_s / 3600 AS s FROM task ORDER BY title")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("Fix", 8, 6), ("Form", 16, 10)] == [(row["title"], row["e"], row["s"]) for row in found]


# ---------- what would count twice, or as something else ----------


@pytest.mark.parametrize("sheets", ["[!R]*", "*"])
def test_a_sheet_that_brings_the_others_together(tmp_path: Path, store: Store, sheets: str) -> None:
    """It is not read; where a mapping reads it, the hub says that its rows count twice."""
    head = ["Nom", "Projet", "Date", "Heures"]
    own = {name: [[name, "WEB", date(2026, 10, day), 7] for day in (5, 6, 7)] for name in ("Zoé", "Jo")}
    path = book(
        tmp_path / "Temps.xlsx",
        {"Récap": [head, *own["Zoé"], *own["Jo"]]} | {name: [head, *rows] for name, rows in own.items()},
    )
    said = suggest_mapping(path)
    report = synced(path, store, said.replace("[!R]*", sheets))

    assert "[!R]*" == tomllib.loads(said)["sheets"]
    assert (42 if sheets != "*" else 84) == sum(hours for _, hours in lines(store))
    assert ("ok", []) == (report.verdict, report.missing) if sheets != "*" else "partial" == report.verdict
    assert (sheets == "*") == ("the sheet Récap holds most of the rows" in " ".join(report.missing))


def test_amounts_in_two_currencies(tmp_path: Path, store: Store) -> None:
    """The same amounts in dollars are left out, and said to be."""
    path = text(
        tmp_path / "Budget 2026.csv",
        "Project;Budget EUR;Actual EUR;Budget USD;Actual USD\nWEB;1000;500;1100;550\nERP;2000;700;2200;770\n",
    )
    said = suggest_mapping(path)
    synced(path, store, said)

    assert [("baseline", 3000), ("consumed", 1200)] == amounts(store, "kind")
    assert "Budget USD, Actual USD seem to be the same amounts in another currency" in said


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("Projet;Devise;janv.;févr.\nWEB;EUR;1000;1000\nERP;USD;1500;500\n", [("EUR", 2000), ("USD", 2000)]),
        ("Projet;Mois;Budget USD\nWEB;2026-01;1000\n", [("USD", 1000)]),
        ("Projet;Mois;Budget TOP\nWEB;2026-01;1000\n", [("EUR", 1000)]),
    ],
    ids=["a column of currencies", "a code in the header", "a word in the header"],
)
def test_the_currency_of_amounts(
    tmp_path: Path, store: Store, content: str, wanted: list[tuple[str, int]]
) -> None:
    """It is that of the row, else that of the header; TOP is a word rather than the money of Tonga."""
    synced(text(tmp_path / "Budget 2026.csv", content), store)
    assert wanted == amounts(store, "currency")


@pytest.mark.parametrize("row", ["Capacité;;140;140", "Jours ouvrés;;5;5", "Taux d'occupation;;100%;90%"])
def test_rows_that_are_nobodys_work(tmp_path: Path, store: Store, row: str) -> None:
    """What people could work is no work of a person called Capacité; it is left out, and said to be."""
    path = text(tmp_path / "Temps 2026.csv", f"Nom;Projet;S41;S42\n{row}\nZoé;WEB;35;28\nJo;ERP;35;35\n")
    said = suggest_mapping(path)
    report = synced(path, store, said)

    assert ("ok", {"Zoé": 63, "Jo": 70}) == (report.verdict, people(store))
    assert f"not clear: {row.partition(';')[0]} is left out" in said


def test_parts_of_a_person_a_month(tmp_path: Path, store: Store) -> None:
    """0.5 a month is half of a person rather than half a day: nothing is read before somebody says it."""
    path = text(
        tmp_path / "plan de charge 2026.csv",
        "Ressource;Projet;janv. 2026;févr. 2026\nZoé;WEB;0,5;1\nJo;WEB;1;0,5\n",
    )
    said = suggest_mapping(path)
    assert "parts of a person (FTE) are not read" in said
    assert "failed" == synced(path, store, said).verdict


@pytest.mark.parametrize(("second", "asked"), [("7.45", True), ("7.25", False)])
def test_hours_and_minutes_with_a_point(tmp_path: Path, second: str, asked: bool) -> None:
    """7.30 and 7.45 may be 7 h 30 and 7 h 45, beside 7.25 they are not."""
    path = text(tmp_path / "t.csv", f"Nom;Projet;Date;Heures\nZ;P;15/10/2026;7.30\nZ;P;16/10/2026;{second}\n")
    assert asked == ("not clear: is 7.30 7 h 30, or a part of an hour?" in suggest_mapping(path))


def test_days_above_their_rows(tmp_path: Path, store: Store) -> None:
    """A row with nothing but a day is that of the rows below it."""
    rows = [["Nom", "Projet", "Heures"], ["15/10/2026"], ["Zoé", "WEB", 7], ["Jo", "ERP", 6], ["16/10/2026"],
            ["Zoé", "WEB", 5], ["Jo", "ERP", 4]]  # fmt: skip
    report = synced(book(tmp_path / "Temps.xlsx", {"A": rows}), store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-15", 6), ("2026-10-15", 7), ("2026-10-16", 4), ("2026-10-16", 5)] == lines(store)


@pytest.mark.parametrize(
    ("heads", "wanted", "asked"),
    [("Heures prévues;Heures réalisées", 14, False), ("Heures normales;Heures sup.", 13, True)],
)
def test_several_columns_of_hours(
    tmp_path: Path, store: Store, heads: str, wanted: float, asked: bool
) -> None:
    """What was worked is taken, not what was planned; other hours that are not read are named."""
    path = text(
        tmp_path / "Temps.csv", f"Nom;Projet;Date;{heads}\nZoé;WEB;15/10/2026;7;6\nJo;WEB;16/10/2026;6;8\n"
    )
    said = suggest_mapping(path)
    synced(path, store, said)

    assert wanted == sum(hours for _, hours in lines(store))
    assert asked == ("# Not clear: Heures sup.: hours too, which are not read." in said)


@pytest.mark.parametrize(
    "heads",
    ["W/C 05/10/2026;W/C 12/10/2026", "Week ending 11/10/2026;Week ending 18/10/2026",
     "Semaine du 5 octobre 2026;Semaine du 12 octobre 2026", "Woche ab 05.10.2026;Woche ab 12.10.2026"],
)  # fmt: skip
def test_weeks_by_their_first_or_last_day(tmp_path: Path, store: Store, heads: str) -> None:
    """They are those of 5 and 12 October."""
    synced(text(tmp_path / "Time.csv", f"Name;Project;{heads}\nZoe;WEB;35;14\n"), store)
    assert [("2026-10-05", 35), ("2026-10-12", 14)] == lines(store)


def test_a_ledger_is_no_list_of_tasks(tmp_path: Path, store: Store) -> None:
    """It is asked about."""
    content = (
        "Projet;Date;Libellé;Débit;Crédit\nWEB;05/10/2026;Facture;1000,00;\nWEB;15/10/2026;Avoir;;200,00\n"
    )
    assert "failed" == synced(text(tmp_path / "t.csv", content), store).verdict


def test_a_short_list_of_tasks(tmp_path: Path, store: Store) -> None:
    """A number, a name, a project and a day are a task all the same."""
    path = text(
        tmp_path / "t.csv", "N°;Tâche;Projet;Échéance\n1;Étude;WEB;15/10/2026\n2;Dév;WEB;30/10/2026\n"
    )
    assert "ok" == synced(path, store).verdict
    found = store.rows("SELECT title, due_on FROM task ORDER BY due_on")
    assert [("Étude", "2026-10-15"), ("Dév", "2026-10-30")] == [tuple(row.values()) for row in found]


HEAD = ["Nom", "Projet", "Date", "Heures"]


@pytest.mark.parametrize(
    "november",
    [
        [[*HEAD, "Note"], ["Zoé", "WEB", date(2026, 11, 2), 6, "x"]],
        [["Relevé de novembre"], [], HEAD, ["Zoé", "WEB", date(2026, 11, 2), 6]],
        [["Date", "Nom", "Projet", "Heures"], [date(2026, 11, 2), "Zoé", "WEB", 6]],
    ],
    ids=["a column more", "a title more", "another order"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_sheets_that_are_not_quite_alike(
    tmp_path: Path, store: Store, november: list[list[Any]], is_first: bool
) -> None:
    """Each sheet is read by its own headers; rows are counted as a person sees them."""
    october = [HEAD, ["Zoé", "WEB", date(2026, 10, 5), 7], ["Zoé", "WEB", date(2026, 10, 6), 30]]
    sheets = {"Oct": october, "Nov": november} if is_first else {"Nov": november, "Oct": october}
    report = synced(book(tmp_path / "Temps 2026.xlsx", sheets), store, max_rejected=0.5)

    assert [("2026-10-05", 7), ("2026-11-02", 6)] == lines(store)
    (said,) = report.rejections
    assert "Temps 2026.xlsx, sheet Oct, row 3, Heures: '30' is more than 24 hours on one day" == said


def test_a_sheet_that_lacks_a_column(tmp_path: Path, store: Store) -> None:
    """It is one of the table by its other headers: that it cannot be read is told."""
    sheets: dict[str, list[list[Any]]] = {
        "Oct": [
            [*HEAD, "Nature"],
            ["Zoé", "WEB", date(2026, 10, 5), 7, "Projet"],
            ["Jo", "WEB", date(2026, 10, 5), 7, "CP"],
        ],
        "Nov": [HEAD, ["Zoé", "WEB", date(2026, 11, 2), 6]],
    }
    report = synced(book(tmp_path / "Temps 2026.xlsx", sheets), store)

    assert "partial" == report.verdict
    assert "sheet Nov was not read: Temps 2026.xlsx: row 1 has no column 'Nature'" in report.missing[0]


def test_days_with_the_sums_of_their_weeks(tmp_path: Path, store: Store) -> None:
    """A column called like a week beside its days is their sum."""
    path = text(
        tmp_path / "Temps 2026.csv",
        "Nom;Projet;05/10;06/10;07/10;S41;12/10;13/10;14/10;S42\nZoé;WEB;7;6;5;18;4;3;2;9\n",
    )
    report = synced(path, store)

    assert ("ok", 27) == (report.verdict, sum(hours for _, hours in lines(store)))
    assert ("2026-10-14", 2) == lines(store)[-1]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (
            "Projet;Année;Budget;Réel\nWEB;2026;1000;900\nWEB;2027;2000;2600\n",
            [("baseline", "2026-01", 1000), ("baseline", "2027-01", 2000),
             ("consumed", "2026-01", 900), ("consumed", "2027-01", 2600)],
        ),
        (
            "Projet;Budget 2026;Réel 2026;Budget 2027\nWEB;1000;900;2000\n",
            [("baseline", "2026-01", 1000), ("baseline", "2027-01", 2000), ("consumed", "2026-01", 900)],
        ),
        (
            "Projet;Budget T1 2026;Réel T1 2026;Budget T2 2026\nWEB;1000;900;2000\n",
            [("baseline", "2026-01", 1000), ("baseline", "2026-04", 2000), ("consumed", "2026-01", 900)],
        ),
        (
            "Projet;Exercice;Mois;Budget\nWEB;2026;1;1000\nWEB;2026;2;2000\n",
            [("baseline", "2026-01", 1000), ("baseline", "2026-02", 2000)],
        ),
        (
            "Projet;Date;Budget\nWEB;05/01/2026;1000\nWEB;15/02/2026;2000\n",
            [("baseline", "2026-01", 1000), ("baseline", "2026-02", 2000)],
        ),
    ],
    ids=["a row a year", "years in headers", "quarters in headers", "a year and a month", "days"],
)  # fmt: skip
def test_the_months_of_kinds_of_amounts(
    tmp_path: Path, store: Store, content: str, wanted: list[tuple[str, str, int]]
) -> None:
    """Amounts of two years never stand in one month."""
    report = synced(text(tmp_path / "Budget.csv", content), store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert wanted == amounts(store, "kind", "month")


def test_months_over_kinds_of_amounts(tmp_path: Path, store: Store) -> None:
    """Each month stands over its budget and its spendings; what names the rows has nothing above it."""
    rows = [
        [None, "janv. 2026", None, "févr. 2026", None], ["Projet", "Budget", "Réel", "Budget", "Réel"],
        ["WEB", 100, 90, 200, 10], ["ERP", 10, 9, 20, 1],
    ]  # fmt: skip
    synced(book(tmp_path / "Suivi.xlsx", {"A": rows}), store)
    assert [
        ("baseline", "2026-01", 110), ("baseline", "2026-02", 220),
        ("consumed", "2026-01", 99), ("consumed", "2026-02", 11),
    ] == amounts(store, "kind", "month")  # fmt: skip


def test_amounts_whose_month_some_headers_say(tmp_path: Path, store: Store) -> None:
    """Of which month the others are is asked, and nothing is taken before it is said."""
    path = text(tmp_path / "Suivi.csv", "Projet;Budget initial;Réel 2026;Réel 2027\nWEB;1000;900;2000\n")
    said = suggest_mapping(path)
    assert "not clear: the month of each column" in said
    assert ("failed", []) == (synced(path, store, said).verdict, amounts(store, "kind"))


def test_weeks_over_what_is_planned_and_done(tmp_path: Path, store: Store) -> None:
    """Two kinds of hours under each week are asked about, and are no efforts of tasks."""
    rows = [
        [None, None, "S41", None, "S42", None], ["Nom", "Projet", "Prévu", "Réalisé", "Prévu", "Réalisé"],
        ["Zoé", "WEB", 35, 28, 35, 35], ["Jo", "WEB", 7, 7, 14, 10],
    ]  # fmt: skip
    path = book(tmp_path / "Temps 2026.xlsx", {"A": rows})
    said = suggest_mapping(path)
    assert "# Not clear: what the numbers of S41 Prévu, S41 Réalisé, S42 Prévu, S42 Réalisé are." in said
    assert "failed" == synced(path, store, said).verdict
