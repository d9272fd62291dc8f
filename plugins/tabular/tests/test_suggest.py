"""A first mapping gets the common files right, and says what it is not sure of."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hub_tabular.source import TabularSource
from hub_tabular.suggest import suggest_mapping

from hub.store import Store
from hub.sync.report import SourceReport
from hub.testing import store, sync_once

__all__ = ["store"]

TOGGL = """\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags,\
Amount (USD)
Zoe,zoe@example.org,Acme,Portal,,Design,Yes,2026-10-05,09:00:00,2026-10-05,10:30:00,01:30:00,,90.00
Zoe,zoe@example.org,Acme,Portal,,Build,No,2026-10-06,08:15:00,2026-10-06,12:00:20,03:45:20,,
Jo,jo@example.org,,Stock,,,No,2026-10-06,13:00:00,2026-10-06,13:20:00,00:20:00,,
"""
CLOCKIFY = """\
"Project","Client","Description","Task","User","Group","Email","Tags","Billable","Start Date","Start Time",\
"End Date","End Time","Duration (h)","Duration (decimal)","Billable Rate (USD)","Billable Amount (USD)"
"Portal","Acme","Design","","Zoe","","zoe@example.org","","Yes","10/05/2026","09:00:00 AM","10/05/2026",\
"10:30:00 AM","01:30:00","1.50","60.00","90.00"
"Portal","Acme","Build","","Jo","","jo@example.org","","No","{day}","08:15:00 AM","{day}","12:00:20 PM",\
"03:45:20","3.76","0.00","0.00"
"""
HARVEST = """\
Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name,Roles,\
Employee?,Billable Rate,Billable Amount,Cost Rate,Cost Amount,Currency,External Reference URL
2026-10-05,Acme,Portal,P-1,Design,,1.5,Yes,No,No,Zoe,Martin,,Yes,60.0,90.0,40.0,60.0,Euro - EUR,
2026-10-06,Acme,Portal,P-1,Build,,3.75,No,No,Yes,Jo,Petit,,Yes,0,0,40,150.4,Euro - EUR,
"""
KIMAI = """\
Date,Begin,End,Duration,Hourly Rate,Rate,Internal Rate,User,Username,Customer,Project,Activity,Description,\
Billable,Exported,Tags,Type
2026-10-05,09:00,10:30,{first},60.00,90.00,60,Zoe,zoe,Acme,Portal,Design,,1,0,,timesheet
2026-10-06,08:15,12:00,{second},0,0,0,Jo,jo,Acme,Portal,Build,,0,0,,timesheet
"""
HARVEST_FR = """\
Date,Client,Projet,Code projet,Tâche,Notes,Heures,Facturable ?,Facturé ?,Prénom,Nom,Rôles,Employé ?
2026-10-05,Acme,Portail,P-1,Design,,"1,5",Oui,Non,Zoé,Martin,,Oui
2026-10-06,Acme,Portail,P-1,Dev,,"3,75",Non,Non,Jo,Petit,,Oui
"""
CLOCKIFY_FR = """\
"Projet","Client","Description","Tâche","Utilisateur","Groupe","E-mail","Étiquettes","Facturable",\
"Date de début","Heure de début","Date de fin","Heure de fin","Durée (h)","Durée (décimale)"
"Portail","Acme","Design","","Zoé","","zoe@example.org","","Oui","05/10/2026","09:00:00","05/10/2026",\
"10:30:00","01:30:00","1,50"
"Portail","Acme","Dev","","Jo","","jo@example.org","","Non","16/10/2026","08:15:00","16/10/2026",\
"12:00:00","03:45:00","3,75"
"""
TEMPO = """\
Issue Key,Issue summary,Hours,Work date,Username,Full name,Period,Account Key,Project Key,Project Name,\
Work Description,Issue Original Estimate
INF-1,Portal,1.5,2026-10-05 09:00,zoe,Zoe Martin,October 2026,ACC,INF,Infra,Design,28800
INF-2,Stock,3.75,2026-10-06 00:00,jo,Jo Petit,October 2026,ACC,INF,Infra,Build,0
"""
REDMINE = """\
Project,Date,User,Activity,Issue,Comment,Hours
ERP,10/05/2026,Zoe,Development,Feature #445: Portal,,1.50
ERP,10/23/2026,Jo,Development,Bug #144: Stock,dev,3.75
"""
REDMINE_FR = """\
Projet;Date;Utilisateur;Activité;Demande;Commentaire;Temps
ERP;05/10/2026;Zoé;Développement;Évolution #445: Portail;;1,50
ERP;06/10/2026;Jo;Développement;Anomalie #144: Stock;dev;3,75
"""


def synced(path: Path, store: Store, mapping: str | None = None, **more: Any) -> SourceReport:
    """Sync a file by what is suggested for it."""
    folder = path.parent
    text = mapping or suggest_mapping(path)
    (folder / "m.toml").write_text(text, encoding="utf-8")
    return sync_once(store, TabularSource(name="s", path=path.name, mapping="m.toml", **more), base=folder)


def lines(store: Store) -> list[tuple[str, float]]:
    """Return the days and hours in the store."""
    rows = store.rows("SELECT day, seconds FROM worklog ORDER BY day, seconds")
    return [(row["day"], row["seconds"] / 3600) for row in rows]


@pytest.mark.parametrize(
    ("text", "people", "containers", "hours"),
    [
        (TOGGL, {"jo@example.org", "zoe@example.org"}, {"Portal", "Stock"}, [5400, 1200, 13520]),
        (CLOCKIFY.format(day="10/23/2026"), {"jo@example.org", "zoe@example.org"}, {"Portal"}, [5400, 13520]),
        (HARVEST, {"Zoe Martin", "Jo Petit"}, {"P-1"}, [5400, 13500]),
        (KIMAI.format(first="5400", second="13520"), {"zoe", "jo"}, {"Portal"}, [5400, 13520]),
        (KIMAI.format(first="1:30", second="3:45"), {"zoe", "jo"}, {"Portal"}, [5400, 13500]),
        (KIMAI.format(first="1.5", second="3.75"), {"zoe", "jo"}, {"Portal"}, [5400, 13500]),
        (TEMPO, {"zoe", "jo"}, {"INF"}, [5400, 13500]),
        (REDMINE, {"Zoe", "Jo"}, {"ERP"}, [5400, 13500]),
        (HARVEST_FR, {"Zoé Martin", "Jo Petit"}, {"P-1"}, [5400, 13500]),
        (CLOCKIFY_FR, {"Zoé", "Jo"}, {"Portail"}, [5400, 13500]),
        (REDMINE_FR, {"Zoé", "Jo"}, {"ERP"}, [5400, 13500]),
    ],
)
def test_exports_of_tools(
    tmp_path: Path, store: Store, text: str, people: set[str], containers: set[str], hours: list[int]
) -> None:
    """The duration is not the start time, the day is the one meant, and people and projects are named."""
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    report = synced(tmp_path / "export.csv", store)
    rows = store.rows("SELECT * FROM worklog ORDER BY day, seconds")

    assert ("ok", [], []) == (report.verdict, report.missing, report.rejections)
    assert hours == [row["seconds"] for row in rows]
    assert "2026-10-05" == rows[0]["day"]
    assert people == {row["account_id"][2:] for row in rows}
    assert containers == {row["container_id"][2:] for row in rows}


def test_a_day_that_could_be_two_is_asked(tmp_path: Path, store: Store) -> None:
    """Where neither the data nor the tool say it, the mapping asks and the sync takes nothing wrong."""
    path = tmp_path / "export.csv"
    path.write_text(CLOCKIFY.format(day="10/06/2026"), encoding="utf-8")
    text = suggest_mapping(path)
    report = synced(path, store)

    assert "not clear: 10/05/2026 may be 2026-05-10 or 2026-10-05 (it is written by the profile" in text
    assert (2, []) == (report.rejected, lines(store))


def test_the_issues_of_redmine(tmp_path: Path, store: Store) -> None:
    """They are tasks, with the number that names each, and when each was opened and closed."""
    text = (
        "#,Project,Tracker,Parent task,Status,Priority,Subject,Assignee,Start date,Due date,Estimated time,"
        "% Done,Created,Closed\n"
        '500,ERP,Feature,481,New,Urgent,Portal,Zoe,08/02/2026,08/27/2026,40.00,20,08/02/2026 01:05 PM,""\n'
        "481,ERP,Bug,,Closed,Low,Stock,Jo,08/01/2026,08/30/2026,2.50,100,08/01/2026 12:05 AM,"
        "08/03/2026 12:30 PM\n"
    )
    (tmp_path / "issues.csv").write_text(text, encoding="utf-8")
    report = synced(tmp_path / "issues.csv", store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("481", 9000, 100.0, "2026-08-30", "2026-08-01T00:05:00Z", "2026-08-03T12:30:00Z"),
        ("500", 144000, 20.0, "2026-08-27", "2026-08-02T13:05:00Z", None),
    ] == [
        tuple(row.values())
        for row in store.rows(
            "SELECT code, estimate_s, percent, due_on, created_at, resolved_at FROM task ORDER BY 1"
        )
    ]


def test_a_weekly_crosstab(tmp_path: Path, store: Store) -> None:
    """A row a person and project, a column a week; the sum stays out, a project called Total stays in."""
    (tmp_path / "Temps 2026.csv").write_text(
        "Collaborateur;Projet;S41;S42;S43;Total\nZoé;Portail;35;;7,5;42,5\nZoé;Total Énergies;;35;;35\n"
        "Noël;Portail;14;21;;35\nTotal;;49;56;7,5;112,5\n",
        encoding="utf-8",
    )
    report = synced(tmp_path / "Temps 2026.csv", store)
    projects = {row["container_id"] for row in store.rows("SELECT container_id FROM worklog")}

    assert ("ok", []) == (report.verdict, report.rejections)
    assert {"s:Portail", "s:Total Énergies"} == projects
    assert [("2026-10-05", 14), ("2026-10-05", 35), ("2026-10-12", 21), ("2026-10-12", 35),
            ("2026-10-19", 7.5)] == lines(store)  # fmt: skip


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    with xlsxwriter.Workbook(str(path)) as out:
        day = out.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = out.add_worksheet(name)
            for number, row in enumerate(rows):
                for at, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, at, cell, day)
                    else:
                        sheet.write(number, at, cell)


def test_a_crosstab_with_real_dates_and_a_title(tmp_path: Path, store: Store) -> None:
    """Dates of a workbook seven days apart are weeks; a title above them is no header."""
    rows: list[list[Any]] = [
        ["Suivi des temps"],
        [],
        ["Who", "Project", date(2026, 10, 5), date(2026, 10, 12)],
    ]
    rows += [["Zoe", "Portal", 35, 28], ["Jo", "Portal", 14.5, 7]]
    book(tmp_path / "a.xlsx", {"Feuil1": rows})
    report = synced(tmp_path / "a.xlsx", store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-05", 14.5), ("2026-10-05", 35), ("2026-10-12", 7), ("2026-10-12", 28)] == lines(store)


def test_columns_that_are_days(tmp_path: Path, store: Store) -> None:
    """A month with a column a day."""
    (tmp_path / "2026-10.csv").write_text(
        "Nom;Projet;01/10;02/10;05/10;06/10\nZoé;Portail;7;7;3,5;\nJo;Portail;;7;7;7\n", encoding="utf-8"
    )
    report = synced(tmp_path / "2026-10.csv", store)

    assert ("ok", 38.5) == (report.verdict, sum(hours for _, hours in lines(store)))
    assert ("2026-10-05", 3.5) in lines(store)


def test_a_year_that_nothing_says(tmp_path: Path) -> None:
    """It is taken from the file, and said to be so."""
    (tmp_path / "a.csv").write_text("Who;Project;S41;S42\nZ;P;35;35\n", encoding="utf-8")
    text = suggest_mapping(tmp_path / "a.csv")

    assert "# Not clear: neither the columns" in text
    assert {"per": "week", "name": "Week", "value": "Value"}.items() <= tomllib.loads(text)["unpivot"].items()


def test_a_budget_with_several_amounts(tmp_path: Path, store: Store) -> None:
    """One mapping makes a line of each amount; the sum of the columns stays out.

    A landing is what it costs in the end: what is still to come is 12,500 less 4,000, and 5,000.
    """
    (tmp_path / "budget 2026.csv").write_text(
        "Code projet;Budget initial;Budget révisé;Engagé;Consommé;Atterrissage\n"
        "P-1;10 000,00;12 000,00;8 000,50;4 000,00;12 500,00\nP-2;5 000,00;5 000,00;0,00;0,00;5 000,00\n"
        "Total;15 000,00;17 000,00;8 000,50;4 000,00;17 500,00\n",
        encoding="utf-8",
    )
    text = suggest_mapping(tmp_path / "budget 2026.csv")
    report = synced(tmp_path / "budget 2026.csv", store)
    sums = store.rows(
        "SELECT kind, sum(amount_minor) / 100.0 AS s FROM budget_line GROUP BY kind ORDER BY kind"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("baseline", 15000),
        ("committed", 8000.5),
        ("consumed", 4000),
        ("forecast", 13500),
        ("revised", 17000),
    ] == [tuple(row.values()) for row in sums]
    assert "not clear: no column says the month" in text


def test_a_sheet_a_person_is_suggested(tmp_path: Path, store: Store) -> None:
    """Sheets that are one table are all read, by a pattern where others are none; their names are people."""
    head = ["Projet", "Date", "Heures"]
    sheets: dict[str, list[list[Any]]] = {
        "Lisez-moi": [["Un mode d'emploi"]],
        "Zoé": [head, ["P", date(2026, 10, 1), 7], ["P", date(2026, 10, 2), 7]],
        "Noël": [head, ["P", date(2026, 10, 1), 6]],
    }
    book(tmp_path / "team.xlsx", sheets)
    report = synced(tmp_path / "team.xlsx", store)

    assert ("ok", 20) == (report.verdict, sum(hours for _, hours in lines(store)))
    assert ["s:Noël", "s:Zoé"] == [row["id"] for row in store.rows("SELECT id FROM account ORDER BY 1")]


def test_a_sheet_a_month_is_suggested(tmp_path: Path, store: Store) -> None:
    """The sheet that sums them up is not read."""
    head = ["Matricule", "Projet", "Date", "Heures"]
    sheets: dict[str, list[list[Any]]] = {
        "Bilan": [["Projet", "Heures"], ["P", 13]],
        "Mois 10": [head, ["M1", "P", date(2026, 10, 1), 7]],
        "Mois 11": [head, ["M1", "P", date(2026, 11, 2), 6]],
    }
    book(tmp_path / "team.xlsx", sheets)
    text = suggest_mapping(tmp_path / "team.xlsx")
    report = synced(tmp_path / "team.xlsx", store)

    assert "Mois 1*" == tomllib.loads(text)["sheets"]
    assert ("ok", 13) == (report.verdict, sum(hours for _, hours in lines(store)))


@pytest.mark.parametrize(
    "rows",
    [
        ["Zoé;Total Énergies;05/10/2026;7", "Somme Zoé;P;06/10/2026;7", "Total;P;15/10/2026;7"],
        ["Zoé;P;05/10/2026;7", "Zoé;P;16/10/2026;14", "Total;Q;17/10/2026;99"],
    ],
)
def test_a_suggested_drop_never_drops_a_full_row(tmp_path: Path, store: Store, rows: list[str]) -> None:
    """A row in which all that names a row is filled is data, whatever its words."""
    (tmp_path / "a.csv").write_text(
        "Nom;Projet;Date;Heures\n" + "\n".join([*rows, "Total;;;21"]) + "\n", encoding="utf-8"
    )
    synced(tmp_path / "a.csv", store, max_rejected=1.0)

    assert 2 <= len(lines(store))
    assert 3 == len(lines(store)) + sum(line.endswith(";99") for line in rows)


def test_hours_beside_start_and_end(tmp_path: Path, store: Store) -> None:
    """In a table of no known tool the effort is the duration, not the time of day at which it began."""
    (tmp_path / "a.csv").write_text(
        "Person,Project,Date,Start time,End time,Time spent\nZ,P,2026-10-05,09:00,10:30,1.5\n"
        "Z,P,2026-10-06,08:00,12:00,4\n", encoding="utf-8",
    )  # fmt: skip
    synced(tmp_path / "a.csv", store)

    assert [("2026-10-05", 1.5), ("2026-10-06", 4)] == lines(store)


def test_a_plan_of_charge_in_days(tmp_path: Path, store: Store) -> None:
    """Small numbers a month are days of planned work, and that is said; the sums do not decide."""
    rows: list[list[Any]] = [
        ["Ressource", "Projet", "janv.", "févr."],
        ["Zoé", "P", 10, 12],
        ["Jo", "P", 18, 9],
    ]
    book(tmp_path / "plan de charge 2026.xlsx", {"Feuil1": [*rows, ["Total", None, 28, 21]]})
    text = suggest_mapping(tmp_path / "plan de charge 2026.xlsx")
    report = synced(tmp_path / "plan de charge 2026.xlsx", store)
    found = store.rows("SELECT start_on, finish_on, seconds / 25200.0 AS d FROM allocation ORDER BY 1, 3")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert "# Not clear: no cell is above 18" in text
    assert [
        ("2026-01-01", "2026-01-31", 10), ("2026-01-01", "2026-01-31", 18),
        ("2026-02-01", "2026-02-28", 9), ("2026-02-01", "2026-02-28", 12),
    ] == [tuple(row.values()) for row in found]  # fmt: skip


def test_a_budget_with_a_column_a_month(tmp_path: Path, store: Store) -> None:
    """The kind of its amounts is guessed from its names, and said to be so."""
    rows: list[list[Any]] = [["Budget 2026"], ["Projet", "Poste", "janv. 2026", "févr. 2026"]]
    book(
        tmp_path / "b.xlsx",
        {"Feuil1": [*rows, ["P1", "Prestations", 12000, 8000], ["P2", "Licences", 500, 600]]},
    )
    report = synced(tmp_path / "b.xlsx", store)
    found = store.rows(
        "SELECT month, kind, sum(amount_minor) / 100 AS s FROM budget_line GROUP BY 1, 2 ORDER BY 1"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-01", "baseline", 12500), ("2026-02", "baseline", 8600)] == [
        tuple(row.values()) for row in found
    ]


def test_sheets_with_a_column_a_day(tmp_path: Path, store: Store) -> None:
    """Each sheet has days of its own; seven on a day are hours."""
    sheets: dict[str, list[list[Any]]] = {
        f"S{week}": [
            ["Collab", "Affaire", *(date(2026, 10, day + n) for n in range(3))],
            ["Zoé", "A", 7, 7, 3.5], ["Jo", "A", 7, None, 7],
        ]
        for week, day in ((41, 5), (42, 12))
    }  # fmt: skip
    book(tmp_path / "days.xlsx", sheets)
    report = synced(tmp_path / "days.xlsx", store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert 63 == sum(hours for _, hours in lines(store))
    assert ["s:Jo", "s:Zoé"] == [row["id"] for row in store.rows("SELECT id FROM account ORDER BY 1")]


FRENCH_BUDGET = """\
Suivi budgétaire 2026 ({above})
Projet;Nature;Budget initial{unit};Budget révisé{unit};Engagé{unit};Consommé{unit};RAF{unit}
WEB;Prestations;40;42;30;12,5;29,5
CRM;Interne;25;25;10;4;(1,5)
Total;;65;67;40;16,5;28
"""


@pytest.mark.parametrize(
    ("above", "unit"), [("DSI", " (k€)"), ("montants en k€", ""), ("DSI", " en milliers d'euros")]
)
def test_a_budget_in_thousands(tmp_path: Path, store: Store, above: str, unit: str) -> None:
    """A budget kept in k€ is read in euros, whether its headers say so or its title; RAF is still to come."""
    (tmp_path / "budget 2026.csv").write_text(FRENCH_BUDGET.format(above=above, unit=unit), encoding="utf-8")

    report = synced(tmp_path / "budget 2026.csv", store)
    sums = store.rows(
        "SELECT kind, category, sum(amount_minor) / 100.0 AS s FROM budget_line WHERE kind IN ('baseline', "
        "'consumed', 'forecast') GROUP BY 1, 2 ORDER BY 1, 2"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("baseline", "Interne", 25000), ("baseline", "Prestations", 40000),
        ("consumed", "Interne", 4000), ("consumed", "Prestations", 12500),
        ("forecast", "Interne", -1500), ("forecast", "Prestations", 29500),
    ] == [tuple(row.values()) for row in sums]  # fmt: skip


def test_risks_weighed_in_words(tmp_path: Path, store: Store) -> None:
    """A register in words is read by a scale of five, marked as a guess; its numbers name its rows."""
    (tmp_path / "risques.csv").write_text(
        "ID;Projet;Risque;Probabilité;Impact;Propriétaire;Échéance;Statut\n"
        "R1;WEB;Fournisseur en retard;Forte;Majeur;Zoé Petit;15/12/2026;Ouvert\n"
        "R2;CRM;Données sales;20 %;Faible;Jo Martin;;Clos\nR3;CRM;Gel;Très faible;Critique;;;Ouvert\n",
        encoding="utf-8",
    )

    text = suggest_mapping(tmp_path / "risques.csv")
    report = synced(tmp_path / "risques.csv", store, text)
    found = store.rows("SELECT id, probability, impact, owner_id FROM register_item ORDER BY id")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [(0.7, 4, "Zoé Petit"), (0.2, 2, "Jo Martin"), (0.1, 5, None)] == [
        (row["probability"], row["impact"], row["owner_id"] and row["owner_id"].partition(":")[2])
        for row in found
    ]
    assert ["ID"] == tomllib.loads(text)["key"]
    assert text.count("words taken as numbers") == 2


def test_an_odd_day_does_not_hide_how_the_others_are_written(tmp_path: Path, store: Store) -> None:
    """One day that no calendar has, and a row of sums, cost themselves: the other rows are read day first."""
    (tmp_path / "heures.csv").write_text(
        "Date;Salarié;Code projet;Durée\n05/10/2026;Zoé;WEB;7:30\n06/10/2026;Zoé;WEB;7h15\n"
        "07/10/2026;Zoé;CRM;3,5\n08/10/2026;Jo;CRM;2:00\n31/02/2026;Zoé;CRM;2:00\nTotal;;;22:15\n",
        encoding="utf-8",
    )

    report = synced(tmp_path / "heures.csv", store)

    assert [("2026-10-05", 7.5), ("2026-10-06", 7.25), ("2026-10-07", 3.5), ("2026-10-08", 2)] == lines(store)
    (said,) = report.rejections
    assert said.startswith("heures.csv, row 6, Date: '31/02/2026'")


def test_an_error_in_a_column_of_a_month(tmp_path: Path, store: Store) -> None:
    """A cell with an error of the spreadsheet is one rejection; its column is a month all the same."""
    book(
        tmp_path / "charge 2026.xlsx",
        {
            "Plan de charge": [
                ["Collaborateur", "Projet", "janv. 2026", "févr. 2026", "mars 2026"],
                ["Zoé", "WEB", 150, 80, 120],
                ["Jo", "WEB", 140, "#REF!", 90],
            ]
        },
    )

    text = suggest_mapping(tmp_path / "charge 2026.xlsx")
    report = synced(tmp_path / "charge 2026.xlsx", store, text)

    assert "3 columns, janv. 2026 to mars 2026" in text
    assert ("partial", 1) == (report.verdict, len(report.rejections))
    assert [580] == [row["h"] for row in store.rows("SELECT sum(seconds) / 3600 AS h FROM allocation")]


@pytest.mark.parametrize("first", ["1", "L 1", "lun. 1"])
def test_days_that_are_numbers(tmp_path: Path, store: Store, first: str) -> None:
    """A sheet a month with a column for each of 31 days, as activity reports are kept.

    September and October 2026 have 22 working days each; the 31st of September is left out.
    """
    word = first.rstrip("1")
    sheets = {}
    for month, name in ((9, "Septembre 2026"), (10, "Octobre 2026")):
        last = 30 if month == 9 else 31
        worked = [7 if day <= last and date(2026, month, day).weekday() < 5 else None for day in range(1, 32)]
        sheets[name] = [
            ["Nom", "Projet", *(f"{word}{day}" for day in range(1, 32)), "Total"],
            ["Zoé", "WEB", *worked, None],
        ]
    book(tmp_path / "CRA.xlsx", sheets)

    report = synced(tmp_path / "CRA.xlsx", store)
    months = store.rows(
        "SELECT substr(day, 1, 7) AS m, sum(seconds) / 3600 AS h FROM worklog GROUP BY 1 ORDER BY 1"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-09", 22 * 7), ("2026-10", 22 * 7)] == [(row["m"], row["h"]) for row in months]


def test_leave_from_one_day_to_another(tmp_path: Path, store: Store) -> None:
    """A list of leave is absence over its days, whatever its kinds are called."""
    (tmp_path / "conges.csv").write_text(
        "Collaborateur;Type;Du;Au;Jours\nZoé;CP;19/10/2026;23/10/2026;5\nJo;RTT;30/10/2026;30/10/2026;1\n",
        encoding="utf-8",
    )

    report = synced(tmp_path / "conges.csv", store)
    found = store.rows("SELECT day, finish_on, category, seconds / 3600 AS h FROM worklog ORDER BY day")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("2026-10-19", "2026-10-23", "absence", 35),
        ("2026-10-30", "2026-10-30", "absence", 7),
    ] == [tuple(row.values()) for row in found]


JIRA = """\
Summary,Issue key,Issue id,Issue Type,Status,Project key,Project name,Priority,Resolution,Assignee,Created,\
Original estimate,Remaining Estimate,Time Spent,Sprint,Sprint
Do it,WEB-1,10001,Story,In Progress,WEB,Website,High,,zoe,05/Oct/26 9:14 AM,28800,14400,14400,S1,S2
Fix it,WEB-2,10002,Bug,Done,WEB,Website,Low,Done,jo,05/Oct/26 9:20 AM,,,,S1,
"""


def test_issues_exported_from_jira(tmp_path: Path, store: Store) -> None:
    """Time Spent in seconds is work, and no budget of 14,400 euros."""
    (tmp_path / "jira.csv").write_text(JIRA, encoding="utf-8")

    report = synced(tmp_path / "jira.csv", store)
    found = store.rows(
        "SELECT code, status_raw, estimate_s, remaining_s, spent_s, created_at FROM task ORDER BY code"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("WEB-1", "In Progress", 28800, 14400, 14400, "2026-10-05T09:14:00Z"),
        ("WEB-2", "Done", None, None, None, "2026-10-05T09:20:00Z"),
    ] == [tuple(row.values()) for row in found]


def test_a_stamp_that_cannot_be_read_costs_no_row(tmp_path: Path, store: Store) -> None:
    """When an issue was opened stands open where nothing says which is the day; the issue is there."""
    text = JIRA.replace("05/Oct/26 9:14 AM", "05/10/26 9:14").replace("05/Oct/26 9:20 AM", "06/10/26 9:20")
    (tmp_path / "jira.csv").write_text(text, encoding="utf-8")

    report = synced(tmp_path / "jira.csv", store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert 2 == len(store.rows("SELECT 1 FROM task WHERE created_at IS NULL"))


BOARDS = {
    "ado.csv": """\
ID,Work Item Type,Title,Assigned To,State,Area Path,Original Estimate,Created Date,Closed Date
101,Task,Form,Jo <jo@example.org>,Closed,CRM\\Front,8,10/2/2026 9:15:05 AM,10/19/2026 4:00:12 PM
102,Bug,Refused,,New,CRM,4,10/12/2026 10:00:00 AM,
""",
    "New site.csv": """\
Plan name,New site
Plan ID,xqQg
Date of export,11/20/2026

Task ID,Task Name,Bucket Name,Progress,Priority,Assigned To,Created Date,Due date,Completed Date
aB3,Brief,Prepare,Completed,Medium,Zoe;Jo,10/13/2026,10/20/2026,10/19/2026
dE6,Pages,Build,In progress,Urgent,,10/14/2026,11/15/2026,
""",
    "asana.csv": """\
Task ID,Created At,Completed At,Last Modified,Name,Section/Column,Assignee,Assignee Email,Due Date,Projects
12051,2026-10-01,2026-10-09,2026-10-09,Choose,Done,Zoe,z@example.org,2026-10-10,ERP
12052,2026-10-02,,2026-11-09,Migrate,To do,,,2026-12-10,"ERP,Office"
""",
    "clickup.csv": """\
Task ID,Task Name,Parent ID,Assignees,Status,Due Date,Date Created,Space Name,Folder Name,List Name
86a1,Prepare,null,[Zoe],complete,1760745600000,1759300000000,Office,Move,Floor 3
86a2,Move,86a1,[],to do,1760745600000,1759300000000,Office,Move,Floor 3
""",
}
TASKS = {
    "ado.csv": [
        ("Form", "CRM", "101", "Closed", "jo@example.org", None, None, "2026-10-02T09:15:05Z", 28800),
        ("Refused", "CRM", "102", "New", None, None, None, "2026-10-12T10:00:00Z", 14400),
    ],
    "New site.csv": [  # Planner
        (
            "Brief",
            "New site",
            None,
            "Completed",
            "Zoe",
            "2026-10-20",
            "2026-10-19",
            "2026-10-13T00:00:00Z",
            None,
        ),
        ("Pages", "New site", None, "In progress", None, "2026-11-15", None, "2026-10-14T00:00:00Z", None),
    ],
    "asana.csv": [
        (
            "Choose",
            "ERP",
            None,
            "Done",
            "z@example.org",
            "2026-10-10",
            "2026-10-09",
            "2026-10-01T00:00:00Z",
            None,
        ),
        ("Migrate", "ERP", None, "To do", None, "2026-12-10", None, "2026-10-02T00:00:00Z", None),
    ],
    "clickup.csv": [  # milliseconds are no days of a mapping: they are left out, the tasks are not
        ("Move", "Floor 3", "86a2", "to do", None, None, None, None, None),
        ("Prepare", "Floor 3", "86a1", "complete", "Zoe", None, None, None, None),
    ],
}


@pytest.mark.parametrize("name", BOARDS)
def test_tasks_exported_from_boards(tmp_path: Path, store: Store, name: str) -> None:
    """Exports as the tools write them: each task by its name, in its project, with its owner and days."""
    (tmp_path / name).write_text(BOARDS[name], encoding="utf-8")
    report = synced(tmp_path / name, store)
    found = store.rows(
        "SELECT title, c.name, t.code, status_raw, substr(assignee_id, 3), due_on, actual_finish_on, "
        "created_at, estimate_s FROM task t JOIN container c ON c.id = container_id ORDER BY title"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert TASKS[name] == [tuple(row.values()) for row in found]


@pytest.mark.parametrize(
    ("numbers", "unit", "hours"),
    [
        (("450", "420", "90"), "minutes", 16.0),  # no day has more than 1440 of them
        (("27000", "25200", "5400"), "seconds", 16.0),
        (("7,5", "7", "1,5"), "hours", 16.0),
    ],
)
def test_hours_whose_unit_nobody_says(
    tmp_path: Path, store: Store, numbers: tuple[str, ...], unit: str, hours: float
) -> None:
    """Numbers say it, and where they are not what hours are, the mapping says that it is a guess."""
    rows = "".join(f"Jean;P;{day:02}/10/2026;{one}\n" for day, one in enumerate(numbers, start=13))
    (tmp_path / "h.csv").write_text("Nom;Projet;Date;Temps\n" + rows, encoding="utf-8")
    text = suggest_mapping(tmp_path / "h.csv")
    synced(tmp_path / "h.csv", store, text)

    assert hours == sum(found for _, found in lines(store))
    assert (unit != "hours") == (f'unit = "{unit}" }}   # not clear: whole numbers' in text)


MONDAY = [
    ["Website relaunch"], ["What the site's team does"], [], ["This sprint"],
    ["Name", "Subitems", "Person", "Status", "Timeline - Start", "Timeline - End", "Due date"],
    ["Home page", "Draft, Review", "Ann Lee, Bob Ray", "Working on it", date(2026, 10, 1), date(2026, 10, 15),
     date(2026, 10, 15)],
    ["Subitems", "Name", "Owner", "Status", "Date"],
    ["", "Draft", "Bob Ray", "Done", date(2026, 10, 5)],
    ["", "Review", "Ann Lee", "Stuck", date(2026, 10, 9)],
    ["Search", "", "Bob Ray", "Done", "", "", date(2026, 10, 5)],
    ["", "", "", "", "", "", ""], ["Next sprint"],
    ["Name", "Subitems", "Person", "Status", "Timeline - Start", "Timeline - End", "Due date"],
    ["Payment", "", "Ann Lee"],
    ["", "", "", "1 Done", "", "", date(2026, 11, 2)],
]  # fmt: skip


def test_a_board_of_monday(tmp_path: Path, store: Store) -> None:
    """Titles of groups, headers again and sums are no tasks; a sub-item is one, below its item."""
    book(tmp_path / "Website_relaunch_1730000000.xlsx", {"website relaunch": MONDAY})
    report = synced(tmp_path / "Website_relaunch_1730000000.xlsx", store)
    found = store.rows(
        "SELECT t.title, c.name, p.title AS above, substr(t.assignee_id, 3) AS who, t.status_raw, t.due_on "
        "FROM task t JOIN container c ON c.id = t.container_id LEFT JOIN task p ON p.id = t.parent_id "
        "ORDER BY t.title"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("Draft", "Website_relaunch", "Home page", "Bob Ray", "Done", "2026-10-05"),
        ("Home page", "Website_relaunch", None, "Ann Lee", "Working on it", "2026-10-15"),
        ("Payment", "Website_relaunch", None, "Ann Lee", None, None),
        ("Review", "Website_relaunch", "Home page", "Ann Lee", "Stuck", "2026-10-09"),
        ("Search", "Website_relaunch", None, "Bob Ray", "Done", "2026-10-05"),
    ] == [tuple(row.values()) for row in found]


def test_a_plan_that_project_saved_as_a_workbook(tmp_path: Path, store: Store) -> None:
    """Its days are texts with a time, and its levels say what is part of what."""
    days = (
        "November 2, 2026 8:00 AM",
        "November 6, 2026 5:00 PM",
        "lun. 09/11/26 08:00",
        "13 nov. 2026 17:00",
    )
    rows: list[list[Any]] = [
        ["ID", "Task Mode", "Name", "Duration", "Start", "Finish", "Predecessors", "Outline Level"],
        [1, "Auto Scheduled", "Build", "10 days", days[0], days[3], "", 1],
        [2, "Auto Scheduled", "Walls", "5 days", days[0], days[1], "", 2],
        [3, "Auto Scheduled", "Roof", "5 days", days[2], days[3], "2", 2],
    ]
    book(tmp_path / "House.xlsx", {"Task_Table1": rows})
    report = synced(tmp_path / "House.xlsx", store)
    found = store.rows(
        "SELECT t.title, p.title AS above, t.planned_start_on, t.planned_finish_on, c.name FROM task t "
        "LEFT JOIN task p ON p.id = t.parent_id JOIN container c ON c.id = t.container_id ORDER BY 1"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("Build", None, "2026-11-02", "2026-11-13", "House"),
        ("Roof", "Build", "2026-11-09", "2026-11-13", "House"),
        ("Walls", "Build", "2026-11-02", "2026-11-06", "House"),
    ] == [tuple(row.values()) for row in found]


def test_a_plan_of_numbered_lines(tmp_path: Path, store: Store) -> None:
    """1, 1.1 and 1.2 say what is part of what."""
    (tmp_path / "planning.csv").write_text(
        "N°;Tâche;Projet;Début;Fin;Statut\n1;Étude;CRM;02/11/2026;30/11/2026;En cours\n"
        "1.1;Besoin;CRM;02/11/2026;13/11/2026;Terminé\n1.2;Choix;CRM;16/11/2026;30/11/2026;En cours\n",
        encoding="utf-8",
    )
    report = synced(tmp_path / "planning.csv", store)
    found = store.rows(
        "SELECT t.title, p.title AS above FROM task t LEFT JOIN task p ON p.id = t.parent_id ORDER BY 1"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("Besoin", "Étude"), ("Choix", "Étude"), ("Étude", None)] == [
        tuple(row.values()) for row in found
    ]


def test_a_number_is_no_title(tmp_path: Path) -> None:
    """What numbers a task is not what it is called, and dependencies are no end."""
    (tmp_path / "list.csv").write_text(
        "Task ID,Owner,Task link,Name of the task,Dependencies,Status\n7,Zoe,https://x.org/7,Paint,6,Open\n"
        "8,Jo,https://x.org/8,Clean,7,Open\n", encoding="utf-8"
    )  # fmt: skip
    text = suggest_mapping(tmp_path / "list.csv")

    assert 'title = "Name of the task"' in text
    assert "finish" not in text.partition("[fields]")[2]


def test_a_plan_of_actions(tmp_path: Path, store: Store) -> None:
    """A list of actions says what is done by its own words."""
    (tmp_path / "plan d'actions.csv").write_text(
        "N°;Action;Pilote;Date de création;Échéance;Projet;État\n"
        "A1;Relancer;Zoé;01/10/2026;15/10/2026;WEB;En cours\n"
        "A2;Nettoyer;Jo;02/10/2026;30/11/2026;CRM;A faire\nA3;Valider;Zoé;02/10/2026;05/10/2026;CRM;Fait\n",
        encoding="utf-8",
    )

    report = synced(tmp_path / "plan d'actions.csv", store)
    found = store.rows("SELECT title, kind, state, due_on FROM register_item ORDER BY title")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("Nettoyer", "action", "open", "2026-11-30"),
        ("Relancer", "action", "open", "2026-10-15"),
        ("Valider", "action", "closed", "2026-10-05"),
    ] == [tuple(row.values()) for row in found]


def laid(
    path: Path, rows: list[list[Any]], merged: dict[tuple[int, int, int, int], str] | None = None
) -> Path:
    """Write a sheet of texts, numbers and days, with merged cells."""
    with xlsxwriter.Workbook(str(path)) as out:
        sheet, day = out.add_worksheet("Feuil1"), out.add_format({"num_format": "dd/mm/yyyy"})
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), day)
                elif cell is not None:
                    sheet.write(row, column, cell)
        for place, text in (merged or {}).items():
            sheet.merge_range(*place, text)
    return path


@pytest.mark.parametrize("is_merged", [True, False])
def test_a_budget_under_two_rows_of_headers(tmp_path: Path, store: Store, is_merged: bool) -> None:
    """A quarter over its budget and its spendings is read as both; a column of totals counts once."""
    rows: list[list[Any]] = [
        ["Suivi budgétaire 2026 (k€)"], [],
        ["Code", "Projet", "T1", None, "T2", None, "Total", None],
        [None, None, "Prévu", "Réel", "Prévu", "Réel", "Prévu", "Réel"],
        ["P1", "Portail", 100, 90, 120, 110, 220, 200], ["P2", "ERP", 50, 55, 60, 58, 110, 113],
        ["Total", None, 150, 145, 180, 168, 330, 313],
    ]  # fmt: skip
    merged = {(2, at, 2, at + 1): f"{rows[2][at]}" for at in (2, 4, 6)}
    merged |= {(2, at, 3, at): f"{rows[2][at]}" for at in (0, 1)}
    path = laid(tmp_path / "budget projets.xlsx", rows, merged if is_merged else None)
    text = suggest_mapping(path)
    report = synced(path, store)
    sums = store.rows("SELECT kind, sum(amount_minor) / 100 AS s FROM budget_line GROUP BY 1 ORDER BY 1")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("baseline", 330_000), ("consumed", 313_000)] == [tuple(row.values()) for row in sums]
    assert "header_rows = 2" in text
    assert "Left out, for the other columns hold it: Total Prévu, Total Réel." in text
    assert "Not clear: T1 Prévu, T2 Prévu was taken for the budget" in text


def test_what_is_left_of_a_budget_is_no_commitment(tmp_path: Path, store: Store) -> None:
    """What remains to be committed is in the budget and in the landing already."""
    path = tmp_path / "budget.csv"
    path.write_text(
        "Projet;Nature;Budget voté (k€);Engagé (k€);Facturé (k€);Reste à engager (k€);Atterrissage (k€)\n"
        "Portail;Prestations;120,5;80,0;60,2;40,5;120,5\nERP;Interne;250;100;100;160;260\n"
        "TOTAL;;370,5;180;160,2;200,5;380,5\n",
        encoding="cp1252",
    )
    report = synced(path, store)
    sums = store.rows("SELECT kind, sum(amount_minor) / 100 AS s FROM budget_line GROUP BY 1 ORDER BY 1")

    assert "ok" == report.verdict
    assert [
        ("baseline", 370_500), ("committed", 180_000), ("consumed", 160_200), ("forecast", 220_300),
    ] == [tuple(row.values()) for row in sums]  # fmt: skip


def test_effort_with_what_remains(tmp_path: Path, store: Store) -> None:
    """Charge, consommé and RAF in days become tasks called by their lot; the total row is left out."""
    path = laid(
        tmp_path / "suivi charges.xlsx",
        [
            ["Projet", "Lot", "Ressource", "Charge initiale (j)", "Consommé (j)", "RAF (j)", "Fin (j)"],
            ["Portail", "Conception", "Zoé", 20, 12, 9, 21], ["Portail", "Dév", "Jo", 40, 10, 30, 40],
            ["ERP", "Cadrage", "Ana", 5.5, 5.5, 0, 5.5], ["Total", None, None, 65.5, 27.5, 39, 66.5],
        ],
    )  # fmt: skip
    report = synced(path, store, hours_per_day=7)
    (found,) = store.rows(
        "SELECT count(*) AS n, sum(estimate_s) / 25200.0 AS e, sum(spent_s) / 25200.0 AS s, "
        "sum(remaining_s) / 25200.0 AS r FROM task"
    )

    assert "ok" == report.verdict
    assert {"n": 3, "e": 65.5, "s": 27.5, "r": 39} == found


def test_an_amount_is_no_effort(tmp_path: Path) -> None:
    """A list of projects with a budget in k€ gives no estimate of 450 seconds."""
    rows = [
        ["Code projet", "Nom du projet", "Chef de projet", "Statut", "Avancement %", "Fin", "Budget (k€)"],
        ["P1", "Portail", "Zoé", "En cours", "45%", date(2026, 12, 18), 220],
        ["P2", "ERP", "Jo", "Cadrage", "10%", date(2027, 6, 30), 450],
    ]  # fmt: skip
    text = suggest_mapping(laid(tmp_path / "portefeuille.xlsx", rows))

    assert "estimate_s" not in text
    assert "# columns not used: Chef de projet, Budget (k€)" in text


def test_milestones_with_several_dates(tmp_path: Path, store: Store) -> None:
    """A list of milestones becomes milestones: the revised day is the plan, the real one the end."""
    path = tmp_path / "jalons.csv"
    path.write_text(
        "Projet;Jalon;Date initiale;Date révisée;Date réelle;Statut\n"
        "Portail;Lancement;01/09/2026;01/09/2026;02/09/2026;Atteint\n"
        "Portail;Recette;30/11/2026;15/12/2026;;Décalé\nERP;Go/No go;15/10/2026;15/10/2026;;Prévu\n",
        encoding="utf-8",
    )
    report = synced(path, store)
    rows = store.rows(
        "SELECT title, kind, is_milestone AS m, planned_finish_on AS p, actual_finish_on AS a "
        "FROM task ORDER BY title"
    )

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("Go/No go", "milestone", 1, "2026-10-15", None),
        ("Lancement", "milestone", 1, "2026-09-01", "2026-09-02"),
        ("Recette", "milestone", 1, "2026-12-15", None),
    ] == [tuple(row.values()) for row in rows]


@pytest.mark.parametrize(
    ("header", "seen", "wanted"),
    [
        ("Probabilité (1-4)", [3, 2, 1], [0.625, 0.375, 0.125]),
        ("Proba", [5, 3, 1], [0.9, 0.5, 0.1]),
        ("Probabilité", [0.3, 0.5, 1], [0.3, 0.5, 1]),
        ("Probabilité /10", [3, 2, 1], [0.25, 0.15, 0.05]),
    ],
)
def test_risks_weighed_by_numbers(
    tmp_path: Path, store: Store, header: str, seen: list[float], wanted: list[float]
) -> None:
    """A scale of 1 to 4 is chances of a half step each, and said to be a guess; shares stay shares."""
    rows: list[list[Any]] = [["N°", "Projet", "Libellé du risque", header, "Impact", "Statut"]]
    rows += [[f"R-{n}", "ERP", f"risk {n}", one, 3, "Ouvert"] for n, one in enumerate(seen)]
    path = laid(tmp_path / "registre des risques.xlsx", rows)
    text = suggest_mapping(path)
    report = synced(path, store)
    found = store.rows("SELECT probability AS p FROM register_item ORDER BY title")

    assert ("ok", wanted) == (report.verdict, [row["p"] for row in found])
    assert ("correct them to your scale" in text) == (max(seen) > 1)


def test_a_person_above_her_rows(tmp_path: Path, store: Store) -> None:
    """Rows with one filled cell name what follows: here whose hours they are, as the header says."""
    rows: list[list[Any]] = [
        ["Détail des temps"], ["Période : octobre 2026"], [], ["Collaborateur / Projet", "Date", "Durée"],
    ]  # fmt: skip
    for person in ("Zoé Martin", "Jo Petit"):
        rows += [[person], *(["   Portail", date(2026, 10, day), "7h30"] for day in (5, 6))]
        rows.append(["Sous-total", None, "15h00"])
    path = laid(tmp_path / "temps.xlsx", rows)
    text = suggest_mapping(path)
    report = synced(path, store)
    found = store.rows(
        "SELECT account_id AS who, container_id AS what, sum(seconds) / 3600 AS h "
        "FROM worklog GROUP BY 1, 2 ORDER BY 1"
    )

    assert ("ok", [("s:Jo Petit", "s:Portail", 15), ("s:Zoé Martin", "s:Portail", 15)]) == (
        report.verdict, [tuple(row.values()) for row in found],
    )  # fmt: skip
    assert "not clear: rows with one filled cell name what follows: Zoé Martin, Jo Petit" in text


def test_a_calendar_of_one_person(tmp_path: Path, store: Store) -> None:
    """Where no column names people, an activity is nobody: the name of the file is, and it is said."""
    days = [f"{'JVSDLMM'[day % 7]} {day + 1}" for day in range(31)]
    worked = [day for day in range(31) if day % 7 not in (2, 3)]
    rows = [
        ["CRA - octobre 2026"], [], ["Projet", "Activité", *days, "Total"],
        ["Portail", "Dév", *(1 if day in worked and day < 14 else None for day in range(31)), 10],
        ["ERP", "Run", *(0.5 if day in worked and day >= 14 else None for day in range(31)), 6],
        ["Total", None, *(None for _ in days), 16],
    ]  # fmt: skip
    path = laid(tmp_path / "Zoé Martin octobre 2026.xlsx", rows)
    text = suggest_mapping(path)
    report = synced(path, store, hours_per_day=7)
    (found,) = store.rows(
        "SELECT sum(seconds) / 25200.0 AS d, min(day) AS f, max(account_id) AS who FROM worklog"
    )

    assert "ok" == report.verdict
    assert {"d": 16, "f": "2026-10-01", "who": "s:Zoé Martin octobre 2026"} == found
    assert "not clear: no column names the people" in text


def spans(store: Store, table: str = "worklog", day: str = "day") -> list[tuple[str, str, float]]:
    """Return the first day, the last day and the hours of each line in the store."""
    rows = store.rows(f"SELECT {day} AS first, finish_on, seconds FROM {table} ORDER BY {day}, seconds")
    return [(row["first"], row["finish_on"], row["seconds"] / 3600) for row in rows]


@pytest.mark.parametrize(
    ("name", "header", "first", "second"),
    [
        ("Temps 2026", "Collaborateur;Projet;Semaine;Heures", "S41", "Sem. 42"),
        ("Temps 2026", "Collaborateur;Projet;Semaine;Heures", "41", "42"),
        ("Temps", "Collaborateur;Projet;Semaine;Heures", "2026-W41", "2026-S42"),
        ("Temps", "Collaborateur;Projet;Semaine;Heures", "41/2026", "42/2026"),
        ("Temps", "Collaborateur;Projet;Année;Semaine;Heures", "2026;41", "2026;42"),
        ("Time", "Person;Project;Week;Hours", "W41-2026", "W42-2026"),
        ("Time", "Person;Project;Week;Hours", "2026-10-05", "2026-10-14"),
    ],
)
def test_hours_with_a_week_a_row(
    tmp_path: Path, store: Store, name: str, header: str, first: str, second: str
) -> None:
    """Week 41 of 2026 is 5 to 11 October, the next one 12 to 18 October."""
    path = tmp_path / f"{name}.csv"
    path.write_text(f"{header}\nZoé;WEB;{first};35\nNoël;WEB;{second};28,5\n", encoding="utf-8")

    text = suggest_mapping(path)
    report = synced(path, store, text)

    assert "a row is of its week, Monday to Sunday" in text
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-05", "2026-10-11", 35), ("2026-10-12", "2026-10-18", 28.5)] == spans(store)


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [
        ("Nom;Projet;Mois;Heures", "octobre 2026", "nov. 2026"),
        ("Nom;Projet;Mois;Heures", "10/2026", "11/2026"),
        ("Nom;Projet;Mois;Heures", "2026-10", "2026-11"),
        ("Nom;Projet;Année;Mois;Heures", "2026;10", "2026;11"),
        ("Nom;Projet;Mois;Année;Heures", "octobre;2026", "novembre;2026"),
    ],
)
def test_hours_with_a_month_a_row(tmp_path: Path, store: Store, header: str, first: str, second: str) -> None:
    """October has 31 days, November 30."""
    path = tmp_path / "Temps.csv"
    path.write_text(f"{header}\nZoé;WEB;{first};140\nNoël;WEB;{second};122,5\n", encoding="utf-8")

    text = suggest_mapping(path)
    report = synced(path, store, text)

    assert "a row is of its month, from the first to the last day" in text
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-01", "2026-10-31", 140), ("2026-11-01", "2026-11-30", 122.5)] == spans(store)


def test_months_of_a_workbook_in_a_plan(tmp_path: Path, store: Store) -> None:
    """Months are days of the workbook shown as months; 20 days of 7 hours are 140 hours, in a plan."""
    rows = [["Ressource", "Projet", "Mois", "Jours"], ["Zoé", "WEB", date(2026, 2, 1), 20]]
    book(tmp_path / "plan de charge.xlsx", {"A": rows})

    report = synced(tmp_path / "plan de charge.xlsx", store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-02-01", "2026-02-28", 140)] == spans(store, "allocation", "start_on")


def test_weeks_whose_year_is_open(tmp_path: Path, store: Store) -> None:
    """A year that nothing says is said to be guessed; over the end of a year none is put in the wrong one."""
    path = tmp_path / "Temps 2026.csv"
    path.write_text("Nom;Projet;Semaine;Temps\nZ;P;S51;35\nZ;P;S52;35\nZ;P;S1;14\n", encoding="utf-8")
    report = synced(path, store)

    assert ("failed", 0) == (report.verdict, len(lines(store)))
    assert "may go over the end of one" in " ".join([*report.missing, report.error or ""])

    path = tmp_path / "Temps.csv"
    path.write_text("Nom;Projet;Semaine;Temps\nZ;P;S41;35\n", encoding="utf-8")
    written = date.fromtimestamp(path.stat().st_mtime).year
    text = suggest_mapping(path)
    day = tomllib.loads(text)["fields"]["day"]

    assert "nothing says the year, taken from the day the file was written" in text
    assert {"column": "Semaine", "format": "week", "year": written} == day
    assert "hours" == tomllib.loads(text)["fields"]["seconds"]["unit"]


def test_hours_in_german(tmp_path: Path, store: Store) -> None:
    """Days with dots, and a row of sums; then a row a calendar week."""
    path = tmp_path / "Zeiterfassung.csv"
    path.write_text(
        "Mitarbeiter;Projekt;Datum;Stunden;Aufgabe\nJürgen;WEB;05.10.2026;7,5;Entwurf\n"
        "Käthe;LAGER;06.10.2026;3,25;Bau\nGesamt;;;10,75;\n",
        encoding="utf-8",
    )
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("2026-10-05", 7.5), ("2026-10-06", 3.25)] == lines(store)
    assert {"s:Jürgen", "s:Käthe"} == {row["account_id"] for row in store.rows("SELECT * FROM worklog")}
    assert {"s:WEB", "s:LAGER"} == {row["container_id"] for row in store.rows("SELECT * FROM worklog")}


def test_weeks_in_german(tmp_path: Path, store: Store) -> None:
    """KW 41 of 2026 is 5 to 11 October; October is Oktober."""
    path = tmp_path / "Zeiterfassung 2026.csv"
    path.write_text("Mitarbeiter;Projekt;Woche;Stunden\nJürgen;WEB;KW 41;35\n", encoding="utf-8")
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [("2026-10-05", "2026-10-11", 35)] == spans(store)


def test_a_month_in_german(tmp_path: Path, store: Store) -> None:
    """18.5 days of 7 hours are 129.5 hours of October."""
    path = tmp_path / "Zeiterfassung.csv"
    path.write_text("Mitarbeiter;Projekt;Monat;Tage\nJürgen;WEB;Oktober 2026;18,5\n", encoding="utf-8")
    assert ("ok", []) == ((report := synced(path, store)).verdict, report.rejections)
    assert [("2026-10-01", "2026-10-31", 129.5)] == spans(store)


def test_tasks_in_german(tmp_path: Path, store: Store) -> None:
    """A list of what is to be done, by whom and until when."""
    path = tmp_path / "Liste.csv"
    path.write_text(
        "Nr;Aufgabe;Projekt;Status;Verantwortlich;Fällig am\n1;Entwurf;WEB;offen;Jürgen;30.10.2026\n"
        "2;Bau;WEB;erledigt;Käthe;13.11.2026\n",
        encoding="utf-8",
    )
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("Entwurf", "offen", "s:Jürgen", "2026-10-30"), ("Bau", "erledigt", "s:Käthe", "2026-11-13")] == [
        (row["title"], row["status_raw"], row["assignee_id"], row["due_on"])
        for row in store.rows("SELECT * FROM task ORDER BY id")
    ]


def test_risks_in_german(tmp_path: Path, store: Store) -> None:
    """What is open and what is done, in German words."""
    path = tmp_path / "Risiken.csv"
    path.write_text(
        "Nr;Risiko;Projekt;Status;Verantwortlich;Frist\n1;Lieferung;WEB;offen;Jürgen;30.10.2026\n"
        "2;Personal;WEB;geschlossen;Käthe;13.11.2026\n",
        encoding="utf-8",
    )
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("risk", "Lieferung", "open", "2026-10-30"), ("risk", "Personal", "closed", "2026-11-13")] == [
        (row["kind"], row["title"], row["state"], row["due_on"])
        for row in store.rows("SELECT * FROM register_item ORDER BY id")
    ]


def test_days_as_excel_counts_them(tmp_path: Path, store: Store) -> None:
    """45931 is 1 October 2025 (45658 is 1 January 2025 in Excel), in a text file."""
    (tmp_path / "a.csv").write_text(
        "Nom;Projet;Date;Heures\nZoé;WEB;45931;7,5\nJo;WEB;45932;3\nTotal;;;10,5\n", encoding="utf-8"
    )

    assert "45931 is 2025-10-01" in suggest_mapping(tmp_path / "a.csv")
    assert ("ok", []) == ((report := synced(tmp_path / "a.csv", store)).verdict, report.rejections)
    assert [("2025-10-01", 7.5), ("2025-10-02", 3)] == lines(store)


def test_days_as_mere_numbers_of_a_workbook(tmp_path: Path, store: Store) -> None:
    """45933 is 3 October 2025, where nobody gave the cells the format of a day."""
    rows: list[list[Any]] = [["Nom", "Projet", "Date", "Heures"], ["Zoé", "WEB", 45933, 7]]
    book(tmp_path / "b.xlsx", {"A": rows})

    assert ("ok", []) == ((report := synced(tmp_path / "b.xlsx", store)).verdict, report.rejections)
    assert [("2025-10-03", 7)] == lines(store)


@pytest.mark.parametrize("other", ["12", "99999", "2025-10-02"])
def test_numbers_that_are_no_days(tmp_path: Path, other: str) -> None:
    """A column with one number that is no near day, or with days, is not read by Excel's count."""
    (tmp_path / "a.csv").write_text(f"Nom;Date;Heures\nZ;45931;7\nJ;{other};3\n", encoding="utf-8")
    assert "excel" not in suggest_mapping(tmp_path / "a.csv")


def amounts(store: Store) -> list[tuple[str, str, float]]:
    """Return project, month and amount of each line of budget in the store."""
    rows = store.rows("SELECT * FROM budget_line ORDER BY project_code, month")
    return [(row["project_code"], row["month"], row["amount_minor"] / 100) for row in rows]


@pytest.mark.parametrize(
    "headers",
    ["T4 2026;T1 2027", "Q4 2026;Q1 2027", "2026-T4;2027-T1", "4e trimestre 2026;1er trimestre 2027",
     "T4 2026;T1"],
)  # fmt: skip
def test_a_budget_with_a_column_a_quarter(tmp_path: Path, store: Store, headers: str) -> None:
    """The fourth quarter begins in October, the first in January; their sum stays out."""
    path = tmp_path / "Budget.csv"
    path.write_text(
        f"Projet;Nature;{headers};Total\nWEB;Sous-traitance;12 000;8 000,50;20 000,50\n"
        "ERP;Licences;5 000;;5 000\n",
        encoding="utf-8",
    )
    text = suggest_mapping(path)
    report = synced(path, store, text)

    assert "the amount of a quarter stands in its first month" in text
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("ERP", "2026-10", 5000), ("WEB", "2026-10", 12000), ("WEB", "2027-01", 8000.5)] == amounts(store)


def test_a_budget_with_a_column_a_year(tmp_path: Path, store: Store) -> None:
    """Years are headers where several stand side by side; the line that begins with one is a row."""
    rows: list[list[Any]] = [["Projet", "Nature", 2026, 2027, 2028]]
    rows += [["WEB", "Licences", 12000, 8000.5, 100], [2026, "Travaux", 500, 600, 700]]
    book(tmp_path / "Budget.xlsx", {"A": rows})

    text = suggest_mapping(tmp_path / "Budget.xlsx")
    report = synced(tmp_path / "Budget.xlsx", store, text)

    assert "the amount of a year stands in its January" in text
    assert ("ok", []) == (report.verdict, report.rejections)
    assert [
        ("2026", "2026-01", 500), ("2026", "2027-01", 600), ("2026", "2028-01", 700),
        ("WEB", "2026-01", 12000), ("WEB", "2027-01", 8000.5), ("WEB", "2028-01", 100),
    ] == amounts(store)  # fmt: skip


@pytest.mark.parametrize(
    ("sub", "whole"),
    [("Total Zoé", "Total général"), ("Zoe Total", "Grand Total"), ("Ergebnis", "Gesamtergebnis")],
)
def test_a_pivot_table_that_repeats_no_label(tmp_path: Path, store: Store, sub: str, whole: str) -> None:
    """A label stands for the rows below it; sums of each person and of all stay out."""
    path = tmp_path / "Temps.csv"
    path.write_text(
        "Collaborateur;Projet;Date;Heures\nZoé;WEB;05/10/2026;7\n;;16/10/2026;3,5\n;ERP;06/10/2026;4\n"
        f"{sub};;;14,5\nJo;WEB;05/10/2026;7,5\n;;19/10/2026;2\n"
        f";;20/10/2026;1\nJo Total;;;10,5\n{whole};;;25\n",
        encoding="utf-8",
    )
    text = suggest_mapping(path)
    report = synced(path, store, text)
    rows = store.rows(
        "SELECT account_id, container_id, sum(seconds) / 3600.0 AS h FROM worklog GROUP BY 1, 2"
    )

    assert "an empty cell seems to mean 'as above'" in text
    assert ("ok", []) == (report.verdict, report.rejections)
    assert {("s:Zoé", "s:WEB", 10.5), ("s:Zoé", "s:ERP", 4), ("s:Jo", "s:WEB", 10.5)} == {
        (row["account_id"], row["container_id"], row["h"]) for row in rows
    }


def test_a_crosstab_of_a_pivot_table(tmp_path: Path, store: Store) -> None:
    """The same with a column a week: Zoé has 35 and 7 hours on two projects, Jo 14."""
    path = tmp_path / "Temps 2026.csv"
    path.write_text(
        "Collaborateur;Projet;S41;S42\nZoé;WEB;35;\n;ERP;;7\n;CRM;1;\nJo;WEB;14;\n;ERP;;2\nTotal;;50;9\n",
        encoding="utf-8",
    )
    report = synced(path, store)
    rows = store.rows("SELECT account_id, sum(seconds) / 3600.0 AS h FROM worklog GROUP BY 1 ORDER BY 1")

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [("s:Jo", 16), ("s:Zoé", 43)] == [(row["account_id"], row["h"]) for row in rows]


def test_a_name_that_lacks_is_not_carried_down(tmp_path: Path) -> None:
    """Where a name comes twice, an empty cell may mean nobody: it is asked."""
    path = tmp_path / "a.csv"
    path.write_text(
        "Nom;Projet;Date;Heures\nZoé;WEB;05/10/2026;7\n;WEB;16/10/2026;3\n;ERP;06/10/2026;4\n"
        ";ERP;07/10/2026;4\nZoé;WEB;20/10/2026;7\n;ERP;21/10/2026;4\n",
        encoding="utf-8",
    )
    text = suggest_mapping(path)
    assert "\ncarry_down" not in text
    assert "# carry_down" in text


def test_days_a_month_are_no_months(tmp_path: Path) -> None:
    """Numbers below 13 under "Jours par mois" are days; a week without its year is no part of a key."""
    (tmp_path / "a.csv").write_text("Nom;Projet;Jours par mois\nZ;P;5\nJ;P;8\n", encoding="utf-8")
    assert "format" not in suggest_mapping(tmp_path / "a.csv")

    (tmp_path / "T 2026.csv").write_text("Nom;Projet;N° semaine;Heures\nZ;P;5;35\n", encoding="utf-8")
    text = suggest_mapping(tmp_path / "T 2026.csv")
    assert {"column": "N° semaine", "format": "week"} == tomllib.loads(text)["fields"]["day"]
    assert '# key = ["…"]' in text
