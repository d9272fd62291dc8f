"""Reference data as a PMO edits it.

Every spelling of Excel is understood, every mistake has its file, line and column.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filling import ask, fill

from hub.context import Context
from hub.errors import ConfigError, FeedError, SourceDataError
from hub.placement import parse
from hub.records import (
    CalendarDay,
    Container,
    CustomValue,
    Iteration,
    Person,
    Project,
    ProjectLink,
    Rate,
    Record,
    Task,
    Worklog,
)
from hub.reference import EXAMPLES, SHEETS, ConfigSource
from hub.store import Store
from hub.testing import HubResult, sync_once

SHEET = {sheet.file: sheet for sheet in SHEETS}
GOOD = {
    "projects.csv": "code;name;level\nA;Alpha;projet\n",
    "project_links.csv": "project_code;source;container;filter;facets\nA;jira;INF;type = Bug;effort\n",
    "people.csv": "name;email;employee_no;team;external;fte;active_from\n"
    "Nadia Roy;n@x.org;7;Études;oui;0,8;15/02/2025\n",
    "accounts.csv": "source;account;email\njira;5b10;n@x.org\n",
    "calendars.csv": "calendar;country;subdivision;week;hours_per_day\nalsace;FR;6AE;1111100;7,5\n",
    "calendar_days.csv": "calendar;day;hours;label\ndefault;25/05/2026;7;Solidarité\n",
    "rates.csv": "scope;scope_id;valid_from;per_day;currency\nrole;Dev;2026-01-01;1 234,50 €;EUR\n",
    "fx.csv": "currency;month;per_eur\nUSD;10/2026;1,08\n",
    "targets.csv": "kpi;scope_id;goal;amber;red;better\nEVM_DAYS.cpi;*;1;0,95;0,85;haut\n",
    "statuses.csv": "source;container;status;category\njira;INF;Recette;En cours\n",
    "sla_goals.csv": "project_code;nature;metric;goal_hours\n*;incident;resolution;4\n",
    "assessments.csv": "project_code;day;axis;rag;trend\nA;31/10/2026;global;vert;stable\n",
    "fields.csv": "field;level;source;native;type;fr\nrisk;tâche;jira;customfield_10;nombre;Risque\n",
    "field_values.csv": "values;value;shown\nrisk;1;Haut\n",
    "access.csv": "user_principal;project_code\nn@x.org;A\n",
    "access_groups.csv": "group;member\npmo;n@x.org\n",
    "budgets.csv": "project_code;month;category;baseline;consumed\nA;2026-10;labour;38 500,00;12.5\n",
    "registers.csv": (
        "ref;project_code;kind;title;probability;impact;exposure;due_on\nR1;A;risque;Retard;30 "
        "%;4;10 000;31/12/2026\n"
    ),
    "checklists.csv": "project_code;list;ref;label;mandatory;state\nA;MEX;1;Sauvegarde;oui;OK\n",
}


@pytest.mark.parametrize("name", sorted(SHEET))
def test_every_file_is_read_and_kept(name: str, tmp_path: Path, store: Store) -> None:
    """With or without BOM, in UTF-8 or Windows-1252, by ; or , or tab: the same rows in the store."""
    images = []
    for encoding, separator in (("utf-8", ";"), ("utf-8-sig", "\t"), ("cp1252", ";")):
        (tmp_path / name).write_bytes(GOOD[name].replace(";", separator).encode(encoding))
        report = sync_once(store, ConfigSource(name="config", folder=str(tmp_path)), full=True)
        images.append([store.snapshot(record.table) for record in SHEET[name].records])
        assert "ok" == report.verdict, report.missing

    assert all(image == images[0] for image in images)
    assert all(table for table in images[0])


def test_what_the_cells_say(tmp_path: Path) -> None:
    """Comma decimals, spaces, euros, percents, French dates and words."""

    def row(name: str) -> Any:
        (tmp_path / name).write_text(GOOD[name], encoding="utf-8")
        return SHEET[name].read(tmp_path / name, "config")[0]

    assert (0.8, True, "2025-02-15") == (
        row("people.csv").fte,
        row("people.csv").is_external,
        row("people.csv").active_from,
    )
    assert 123450 == row("rates.csv").minor_per_day
    assert ("2026-10", 1.08) == (row("fx.csv").month, row("fx.csv").per_eur)
    assert ("EVM_DAYS", "cpi", 0.85, "up") == (
        row("targets.csv").kpi,
        row("targets.csv").measure,
        row("targets.csv").red,
        row("targets.csv").direction,
    )
    assert (0.3, 1000000, "2026-12-31") == (
        row("registers.csv").probability,
        row("registers.csv").exposure_minor,
        row("registers.csv").due_on,
    )
    assert (
        [3850000, 1250]
        == [line.amount_minor for line in SHEET["budgets.csv"].read(tmp_path / "budgets.csv", "config")]
        if row("budgets.csv")
        else []
    )
    assert ("green", "flat") == (row("assessments.csv").rag, row("assessments.csv").trend)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "people.csv",
            "name;fte\nA;3\n",
            "people.csv, line 2, column fte: '3' is not above 0 and at most 1.5",
        ),
        ("people.csv", "name;fte\nA;x\n", "people.csv, line 2, column fte: 'x' is not a number"),
        (
            "people.csv",
            "name;team\nA;x\nA;y\n",
            "line 3, column code, employee_no, email, name: 'A' is already on line 2",
        ),
        ("people.csv", "name;tema\nA;x\n", "line 1: unknown column tema; known: code, name"),
        ("people.csv", "email\na@b\n", "line 1: the column name is missing"),
        ("rates.csv", "scope;per_day\nrole;5\n", "column scope_id: say which role"),
        (
            "rates.csv",
            "scope;per_day\nboss;5\n",
            "column scope: 'boss' is not one of person, role, team, project, default",
        ),
        (
            "rates.csv",
            "per_day;valid_from\n5;30/02/2026\n",
            "column valid_from: '30/02/2026' is not a date such as",
        ),
        (
            "fx.csv",
            "currency;month;per_eur\nUSD;2026-13;1\n",
            "column month: '2026-13' is not a month such as",
        ),
        ("fx.csv", "currency;month;per_eur\nUSD;2026-12;0\n", "column per_eur: '0' is not above 0"),
        ("targets.csv", "kpi;amber\ncpi;1\n", "column kpi: 'cpi' is not a KPI such as EVM_DAYS.cpi"),
        (
            "targets.csv",
            "kpi;amber;red\nEVM_DAYS.cpi;0,8;0,9\n",
            "where up is better, red begins beyond amber",
        ),
        (
            "statuses.csv",
            "source;status;category\nj;X;peut-être\n",
            "column category: 'peut-être' is not one of todo, in_progress, done, cancelled",
        ),
        ("calendars.csv", "calendar;week\nx;11111\n", "column week: '11111' is not seven 0 or 1"),
        (
            "registers.csv",
            "ref;project_code;kind;title;probability\n1;A;risk;T;30\n",
            "column probability: '30' is not between 0 and 1",
        ),
        (
            "checklists.csv",
            "project_code;list;ref;label;mandatory\nA;L;1;x;bof\n",
            "column mandatory: 'bof' is neither yes nor no",
        ),
        (
            "project_links.csv",
            "project_code;source;container;filter\nA;j;I;type =\n",
            "column filter: the filter 'type =' needs a value at its end",
        ),
        (
            "projects.csv",
            "code;name;parent_code\nA;x;B\nB;y;A\n",
            "column parent_code: 'A' stands above itself",
        ),
        (
            "budgets.csv",
            "project_code;month;baseline\nA;2026-10;\n;2026-11;5\n",
            "line 3, column project_code: it may not be empty",
        ),
    ],
)
def test_mistakes_have_a_place(name: str, text: str, words: str, tmp_path: Path) -> None:
    """File, line, column, and what would be right."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SourceDataError) as caught:
        SHEET[name].read(tmp_path / name, "config")

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        "name;team\r\nZoé;Études\r\n".encode("cp1252"),
        "name;team\r\nÉtudes;Zoé".encode("cp1252"),
        codecs.BOM_UTF16_LE + "name\tteam\r\nZoé\tÉtudes\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "name\tteam\r\nZoé\tÉtudes\r\n".encode("utf-16-be"),
        "\ufeffname,team\nZoé,Études\n".encode(),
    ],
    ids=["Windows-1252", "its last letter beyond ASCII", "Excel's Unicode text", "its twin", "UTF-8"],
)
def test_encodings_of_excel(raw: bytes, tmp_path: Path) -> None:
    """What Excel offers under "Save as" of a table in CSV or as a text."""
    (tmp_path / "people.csv").write_bytes(raw)
    read = SHEET["people.csv"].read(tmp_path / "people.csv", "config")
    found = {(one.display_name, one.team) for one in read if isinstance(one, Person)}

    assert found <= {("Zoé", "Études"), ("Études", "Zoé")}
    assert 1 == len(found)


@pytest.mark.parametrize("raw", ["name\nZoé\nRené".encode()[:-1], "name\nRen\u0081\n".encode("latin1")])
def test_a_file_that_is_no_text_is_refused(raw: bytes, tmp_path: Path) -> None:
    """One that was cut off within a letter, and one of bytes that mean nothing: no name is made up."""
    (tmp_path / "people.csv").write_bytes(raw)
    with pytest.raises(SourceDataError, match="no text that can be read"):
        SHEET["people.csv"].read(tmp_path / "people.csv", "config")


def test_a_wrong_file_keeps_what_was_known(tmp_path: Path, store: Store) -> None:
    """One wrong line refuses its file, the others are taken, and the verdict is partial."""
    source = ConfigSource(name="config", folder=str(tmp_path))
    (tmp_path / "people.csv").write_text(GOOD["people.csv"], encoding="utf-8")
    sync_once(store, source)
    (tmp_path / "people.csv").write_text("name;fte\nOther;9\n", encoding="utf-8")
    (tmp_path / "rates.csv").write_text(GOOD["rates.csv"], encoding="utf-8")
    report = sync_once(store, source)

    assert "partial" == report.verdict
    assert ["Nadia Roy"] == [
        row["display_name"] for row in store.snapshot("person") if row["presence"] == "present"
    ]
    assert 1 == len(store.snapshot("rate"))


# ---------- filters ----------


def tasks(source: str) -> list[Record]:
    """Return the three tasks that filters choose from, of one source."""
    return [
        Container(id=f"{source}:p", kind="project", code="INF", name="Infra"),
        Iteration(id=f"{source}:s1", name="Sprint 1"),
        Task(
            id=f"{source}:1",
            container_id=f"{source}:p",
            code="INF-1",
            title="a",
            type_raw="Bug",
            labels="ops web",
            iteration_id=f"{source}:s1",
        ),
        Task(
            id=f"{source}:2",
            container_id=f"{source}:p",
            code="INF-2",
            title="b",
            type_raw="Story",
            labels="web",
            nature="build",
        ),
        Task(
            id=f"{source}:3", container_id=f"{source}:p", code="INF-3", title="c", type_raw="Change request"
        ),
        CustomValue(
            id=f"{source}:3/components", row_id=f"{source}:3", field="components", text="Core, Windows"
        ),
        CustomValue(id=f"{source}:2/lot", row_id=f"{source}:2", field="Lot projet", text="B"),
    ]


TASKS = tasks("j")
TAKEN = {
    "type = bug": "1",
    "type != Bug": "23",
    'type in (Bug, "Change request")': "13",
    "labels = web": "12",
    "labels = web and not labels = ops": "2",
    "component = Windows": "3",
    '"Lot projet" = B or iteration = "Sprint 1"': "12",
    "not (type = Bug or nature = build)": "3",
    "code not in (INF-1)": "23",
    'type = "x\' OR 1=1 --"': "",
}


def test_a_filter_takes_its_tasks(store: Store, tmp_path: Path) -> None:
    """Equality, lists, labels, components, sprints, custom fields, and, or, not.

    Text is a parameter, never SQL. Each filter has a source and a project of its own.
    """
    for n, text in enumerate(TAKEN):
        link = ProjectLink(id=f"config:l{n}", project_code=f"A{n}", container_id=f"j{n}:INF", filter=text)
        fill(store, tasks(f"j{n}"), [Project(id=f"config:A{n}", code=f"A{n}", name="A"), link])
    rows = ask(
        store,
        tmp_path,
        "SELECT p.code, k.task_id FROM dim_task k JOIN dim_project p USING (project_key) "
        "WHERE p.code LIKE 'A%' ORDER BY ALL",
    )
    found = {
        text: "".join(id_.partition(":")[2] for code, id_ in rows if code == f"A{n}")
        for n, text in enumerate(TAKEN)
    }

    assert TAKEN == found
    assert all(id_.startswith(f"j{code[1:]}:") for code, id_ in rows)


@pytest.mark.parametrize(
    "text",
    [
        "type",
        "type =",
        "= Bug",
        "type in Bug",
        "type in (Bug",
        "(type = Bug",
        "type = Bug type = X",
        "not",
        "type not = X",
    ],
)
def test_a_filter_that_makes_no_sense(text: str) -> None:
    """The sentence says what was needed, and before what."""
    with pytest.raises(ConfigError, match="the filter"):
        parse(text)


def test_the_narrower_filter_wins_and_a_tie_is_an_error(store: Store, tmp_path: Path) -> None:
    """More tests are more specific; two alike that claim one task stop the feed with both named."""
    projects: list[Record] = [Project(id=f"config:{code}", code=code, name=code) for code in "ABC"]
    links: list[Record] = [
        ProjectLink(id="config:1", project_code="A", container_id="j:INF"),
        ProjectLink(id="config:2", project_code="B", container_id="j:INF", filter="labels = web"),
        ProjectLink(
            id="config:3", project_code="C", container_id="j:INF", filter="labels = web and type = Bug"
        ),
    ]
    fill(store, TASKS, projects, links)
    found = ask(
        store,
        tmp_path,
        "SELECT k.key, p.code FROM dim_task k JOIN dim_project p USING (project_key) "
        "WHERE k.key IS NOT NULL ORDER BY 1",
    )
    fill(store, [ProjectLink(id="config:4", project_code="A", container_id="j:INF", filter="type = Story")])

    assert [("INF-1", "C"), ("INF-2", "B"), ("INF-3", "A")] == found
    with pytest.raises(FeedError, match=r"'INF-2' matches several filters .*Make one of them narrower"):
        ask(store, tmp_path, "SELECT 1")


# ---------- what it does to the feed ----------


def test_the_narrowest_rate_of_the_day(store: Store, tmp_path: Path) -> None:
    """Person before role before team before project before default, each within its dates.

    No rate is NULL, not 0.
    """
    person = Person(id="config:people/7", display_name="Nadia", employee_no="7", role="Dev", team="X")
    rates: list[Record] = [
        Rate(id="config:1", scope="default", valid_from="2026-02-01", minor_per_day=10000),
        Rate(id="config:2", scope="project", scope_id="A", valid_from="2026-03-01", minor_per_day=20000),
        Rate(id="config:3", scope="team", scope_id="x", valid_from="2026-04-01", minor_per_day=30000),
        Rate(
            id="config:4",
            scope="role",
            scope_id="Dev",
            valid_from="2026-05-01",
            valid_to="2026-05-31",
            minor_per_day=40000,
        ),
        Rate(id="config:5", scope="person", scope_id="7", valid_from="2026-07-01", minor_per_day=50000),
    ]
    from hub import matching
    from hub.records import Account

    logs: list[Record] = [
        Worklog(
            id=f"t:{month}", container_id="t:A", account_id="t:u", day=f"2026-{month:02d}-15", seconds=25200
        )
        for month in range(1, 8)
    ]
    fill(
        store,
        [
            person,
            *rates,
            Project(id="config:A", code="A", name="A"),
            Container(id="t:A", kind="table", code="A", name="A"),
            Account(id="t:u", employee_no="7"),
            *logs,
        ],
    )
    matching.propose(store, {}, actor="me")

    assert [None, 100.0, 200.0, 300.0, 400.0, 300.0, 500.0] == [
        row[0] for row in ask(store, tmp_path, "SELECT amount::DOUBLE FROM fact_worklog ORDER BY work_date")
    ]


def test_a_worked_whit_monday(store: Store, tmp_path: Path) -> None:
    """calendar_days.csv of the calendar 'default' is the company's: 253 working days in 2026."""
    fill(
        store,
        [
            CalendarDay(id="config:d", calendar="default", day="2026-05-25", seconds=25200),
            Worklog(id="t:1", day="2026-03-02", seconds=3600),
        ],
    )

    assert [(253,)] == ask(store, tmp_path, "SELECT sum(is_workday)::BIGINT FROM dim_date WHERE year = 2026")


def test_capacity_follows_the_person(store: Store, tmp_path: Path) -> None:
    """0.8 of a week with a holiday is 22.4 h; days of an eight-hour plan are days of hers.

    Who left has no capacity.
    """
    from hub import matching
    from hub.records import Account, Allocation

    people: list[Record] = [
        Person(id="config:people/7", display_name="B", employee_no="7", fte=0.8),
        Person(id="config:people/8", display_name="Gone", employee_no="8", active_to="2026-01-31"),
    ]
    plan: list[Record] = [
        Account(id="p:u", employee_no="7"),
        Container(id="p:c", kind="plan", code="C", name="C", seconds_per_day=28800),
        Allocation(
            id="p:a",
            account_id="p:u",
            container_id="p:c",
            start_on="2026-05-04",
            finish_on="2026-05-07",
            seconds=2 * 28800,
        ),
        Worklog(id="t:1", day="2026-05-05", seconds=25200, account_id="p:u", category="absence"),
    ]
    fill(store, people, plan)
    matching.propose(store, {}, actor="me")

    assert [("B", 22.4, 7.0, 14.0)] == ask(
        store,
        tmp_path,
        "SELECT person_label, capacity_s / 3600, absence_s / 3600, allocated_s / 3600 "
        "FROM fact_capacity_week "
        "JOIN dim_person USING (person_key) WHERE week_start = '2026-05-04'",
    )


def test_a_figure_of_a_plugin(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """The example of docs/hooks.md is a figure like any other.

    A header that lacks something is refused with its name.
    """
    import re

    text = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text(encoding="utf-8")
    (code,) = [
        part for part in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def register_kpis" in part
    ]
    (hub_folder / "config" / "plugins").mkdir()
    (hub_folder / "config" / "plugins" / "figures.py").write_text(
        f'"""Figures."""\nfrom hub import hookimpl\n\n{code}', encoding="utf-8"
    )
    (hub_folder / "config" / "hub.toml").write_text("", encoding="utf-8")
    (hub_folder / "config" / "projects.csv").write_text("code;name\nA;Alpha\n", encoding="utf-8")
    first = run_hub("run")
    listed = run_hub("kpi", "--list")
    shown = run_hub("kpi", "--kpi", "OPEN_TASKS", "--format", "json")
    from hub.feed.kpi.catalogue import _MORE, register

    try:
        assert 0 == first.exit_code, first.output + first.error
        assert "OPEN_TASKS: Open tasks (Tâches ouvertes)" in listed.output
        assert '"OPEN_TASKS": []' in shown.output
        with pytest.raises(ConfigError, match="header needs a title"):
            register("BROKEN", "-- x | y\nSELECT 1")
        with pytest.raises(ConfigError, match="not one that the catalogue has"):
            register("RAF", code)
    finally:
        _MORE.clear()


def test_every_file_has_an_example(tmp_path: Path) -> None:
    """What `hub init` writes is read as it stands, and config/ shows the same files."""
    assert set(EXAMPLES) == set(SHEET)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert SHEET[name].read(tmp_path / name, "config"), name
        assert text == (Path(__file__).parents[1] / "config" / f"{Path(name).stem}.example.csv").read_text(
            encoding="utf-8"
        )


# ---------- every mistake, and names that nobody knows ----------


def test_every_mistake_of_a_file_is_listed(tmp_path: Path, store: Store) -> None:
    """Not the first alone: each with its line, in a sync and by `hub check`.

    Of very many the first fifty and a count.
    """
    source = ConfigSource(name="config", folder=str(tmp_path))
    (tmp_path / "budgets.csv").write_text(
        "project_code;month;baseline;consumed\nA;2026-10;1,234;12 $\n;2026-11;5 %;1\nA;31/02/2026;1;x\n",
        encoding="utf-8",
    )
    wanted = [
        "budgets.csv, line 2, column baseline: '1,234' could be a thousand or a fraction: ",
        "budgets.csv, line 2, column consumed: '12 $' is in $, and the amount is in EUR: ",
        "budgets.csv, line 3, column project_code: it may not be empty.",
        "budgets.csv, line 3, column baseline: '5 %' has a percent sign, and an amount is no percent.",
        "budgets.csv, line 4, column month: '31/02/2026' is not a month such as 2026-10 or 10/2026.",
        "budgets.csv, line 4, column consumed: 'x' is not a number.",
    ]
    report = sync_once(store, source)
    checks = [
        one.detail
        for one in source.check(Context(base=tmp_path, source_id="config"))
        if one.state == "failed"
    ]

    assert [True] * 6 == [said.startswith(one) for said, one in zip(report.missing, wanted, strict=True)]
    assert report.missing == checks
    (tmp_path / "budgets.csv").write_text(
        "project_code;month;baseline\n" + "A;never;1\n" * 60, encoding="utf-8"
    )
    assert "budgets.csv: and 10 more mistakes." == sync_once(store, source).missing[-1]


@pytest.mark.parametrize(
    ("header", "first", "second", "words"),
    [
        ("name;employee_no", "A;M1", "B;m1", "line 3, column employee_no: 'm1' is already that of line 2"),
        ("name;email", "A;a@x.org", "B;A@X.org", "line 3, column email: 'A@X.org' is already that of line 2"),
        (
            "name;login",
            "A;CORP\\a",
            "B;corp\\A",
            "line 3, column login: 'corp\\\\A' is already that of line 2",
        ),
        (
            "name;email;aliases",
            "A;a@x.org;",
            "B;b@x.org;c@x.org a@x.org",
            "line 3, column aliases: 'a@x.org' is already that of line 2",
        ),
        ("name;code;employee_no", "A;7;", "B;;7", "line 3, column code: '7' already names the row of line 2"),
    ],
)
def test_two_people_of_one_mark_are_an_error(
    header: str, first: str, second: str, words: str, tmp_path: Path
) -> None:
    """A number, an address, a login recognises one person; both lines are named."""
    (tmp_path / "people.csv").write_text(f"{header}\n{first}\n{second}\n", encoding="utf-8")
    with pytest.raises(SourceDataError) as caught:
        SHEET["people.csv"].read(tmp_path / "people.csv", "config")

    assert words in str(caught.value)


def test_what_a_file_declares(tmp_path: Path) -> None:
    """A line that begins with # says the decimal sign and the order of dates; as Excel saves it, too."""
    for said in ("# decimal = ,", '# decimal = ","', '"# decimal = "","""', "# decimal = ,;;", "#decimal=,"):
        (tmp_path / "rates.csv").write_text(
            f"{said}\nper_day;valid_from\n1.200;2026-01-01\n", encoding="utf-8"
        )
        assert [120000] == [
            one.minor_per_day for one in SHEET["rates.csv"].read(tmp_path / "rates.csv", "config")
        ], said  # type: ignore[attr-defined]
    (tmp_path / "rates.csv").write_text(
        "per_day;valid_from\n# dates = mm/dd\n1,2;03/04/2026\n", encoding="utf-8"
    )
    assert ["2026-03-04"] == [
        one.valid_from for one in SHEET["rates.csv"].read(tmp_path / "rates.csv", "config")
    ]  # type: ignore[attr-defined]


def test_a_cell_too_many_is_an_error(tmp_path: Path) -> None:
    """A comma that is a decimal sign in a file cut at commas moves no cell into another column."""
    (tmp_path / "rates.csv").write_text("per_day,currency\n420,50,EUR\n", encoding="utf-8")
    with pytest.raises(
        SourceDataError, match=r"rates.csv, line 2: it has more cells than the file has columns"
    ):
        SHEET["rates.csv"].read(tmp_path / "rates.csv", "config")


def test_amounts_without_a_currency_are_in_that_of_the_configuration(tmp_path: Path, store: Store) -> None:
    """hub.toml says it; a file is read again when another one is said."""
    (tmp_path / "rates.csv").write_text("per_day;currency\n420,50;\n", encoding="utf-8")
    source = ConfigSource(name="config", folder=str(tmp_path))
    found = []
    for currency in ("EUR", "CHF"):
        sync_once(store, source, currency=currency)
        found.append(store.snapshot("rate")[0]["currency"])

    assert ["EUR", "CHF"] == found


@pytest.mark.parametrize(
    ("before", "after", "held"), [(10, 7, 0), (20, 16, 0), (10, 5, 5), (40, 30, 10), (3, 2, 0), (30, 0, 30)]
)
def test_a_file_that_loses_too_many_rows_is_held(
    before: int, after: int, held: int, tmp_path: Path, store: Store
) -> None:
    """More than a fifth, and at least five, wait for a person; fewer leave by themselves."""
    source = ConfigSource(name="config", folder=str(tmp_path))
    text = "project_code;month;baseline\n" + "".join(f"P{n};2026-10;5\n" for n in range(before))
    (tmp_path / "budgets.csv").write_text(text, encoding="utf-8")
    sync_once(store, source)
    (tmp_path / "budgets.csv").write_text("\n".join(text.splitlines()[: after + 1]), encoding="utf-8")
    report = sync_once(store, source)

    assert held == sum(stake.rows for stake in store.held("config"))
    assert ("partial" if held else "ok") == report.verdict
    assert after + held == sum(row["presence"] == "present" for row in store.snapshot("budget_line"))


def test_rows_that_another_replaces_are_no_loss(tmp_path: Path, store: Store) -> None:
    """A category with another name is not counted beside the old one until somebody accepts."""
    source = ConfigSource(name="config", folder=str(tmp_path))
    for category in ("labour", "work"):
        text = "project_code;month;category;baseline\n" + "".join(
            f"P{n};2026-10;{category};5\n" for n in range(12)
        )
        (tmp_path / "budgets.csv").write_text(text, encoding="utf-8")
        assert "ok" == sync_once(store, source).verdict

    assert {"work"} == {
        row["category"] for row in store.snapshot("budget_line") if row["presence"] == "present"
    }


UNKNOWN = {
    "projects.csv": (
        "code;name;level;calendar_id\nA;Alpha;project;mars\nP;Prog;program;\n",
        ["line 2, column calendar_id: there is no calendar 'mars'"],
    ),
    "project_links.csv": (
        "project_code;source;container\nB;jira;INF\nA;jirra;INF\nA;jira;NOPE\nP;jira;OPS\n",
        [
            "line 2, column project_code: there is no project 'B'",
            "line 5, column project_code: 'P' is a program",
            "line 3, column source: there is no source 'jirra'; did you mean 'jira'?",
            "line 4, column container: there is no container of jira 'NOPE'",
        ],
    ),
    "people.csv": (
        "name;employee_no;team;role;calendar\nNadia;7;Data;Dev;moon\n",
        ["line 2, column calendar: there is no calendar 'moon'"],
    ),
    "accounts.csv": (
        "source;account;person\njira;nadia;7\njira;zoe;8\nx;a;7\n",
        [
            "line 4, column source: there is no source 'x'",
            "line 3, column account: there is no account of jira 'zoe'",
            "line 3, column person: there is no person '8'",
        ],
    ),
    "calendar_days.csv": (
        "calendar;day\ndefault;2026-05-25\nalsace;2026-05-25\n",
        ["line 3, column calendar: there is no calendar 'alsace'"],
    ),
    "rates.csv": (
        "scope;scope_id;per_day\nrole;dev;5\nrole;Boss;5\nteam;Data;5\nperson;9;5\nproject;Z;5\n",
        [
            "line 3, column scope_id: there is no role 'Boss'",
            "line 5, column scope_id: there is no person '9'",
            "line 6, column scope_id: there is no project 'Z'",
        ],
    ),
    "targets.csv": (
        (
            "kpi;scope_id;goal\nEVM_DAYS.cpi;A;1\nSLA.compliance.resolution;*;1\n"
            "EVM_DAY.cpi;*;1\nRAF.rest;*;1\nEVM_DAYS.spi;Q;1\n"
        ),
        [
            "line 4, column kpi: there is no KPI 'EVM_DAY.cpi'; did you mean 'EVM_DAYS.cpi'?",
            "line 5, column kpi: there is no KPI 'RAF.rest'",
            "line 6, column scope_id: there is no project 'Q'",
        ],
    ),
    "fields.csv": (
        "field;source;native\nseverity;who;S\nsize;jira;Size\n",
        [
            "line 2, column source: there is no source 'who'",
            (
                "line 3, column native: nothing that was read of jira has the field 'Size': the next sync "
                "asks for it, else `hub check jira` lists what there is"
            ),
        ],
    ),
    "statuses.csv": (
        "source;status;category;container\nwho;X;done;*\njira;X;done;NOPE\n",
        [
            "line 2, column source: there is no source 'who'",
            "line 3, column container: there is no container of jira 'NOPE'",
        ],
    ),
    "sla_goals.csv": (
        "project_code;nature;goal_hours\nA;incident;4\nZ;incidnt;4\n",
        [
            "line 3, column project_code: there is no project 'Z'",
            "line 3, column nature: there is no nature 'incidnt'; did you mean 'incident'?",
        ],
    ),
    "assessments.csv": (
        "project_code;day;rag\nZ;2026-10-31;red\n",
        ["line 2, column project_code: there is no project 'Z'"],
    ),
    "access.csv": (
        (
            "user_principal;project_code;team\nn@x.org;Z;\nn@x.org;;Datta\ngroup:PMO;A;\ngroup:pmos;A;\n"
            "group:board@x.org;A;\nm@x.org;;\nn@x.org;*;\np@x.org;;*\n"
        ),
        [
            "line 5, column user_principal: there is no group 'pmos'; did you mean 'pmo'?",
            "line 7, column user_principal: it names neither a project nor a team: it allows nothing",
            "line 2, column project_code: there is no project 'Z'",
            "line 8, column project_code: '*' is no project here: name each",
            "line 3, column team: there is no team 'Datta'; did you mean 'Data'?",
            "line 9, column team: '*' is no team here: name each",
        ],
    ),
    "access_groups.csv": (
        "group;member\npmo;n@x.org\npmo;group:board\n",
        ["line 3, column member: 'group:board' is a group, and a person's address is needed here"],
    ),
    "budgets.csv": (
        "project_code;month;baseline\nZ;2026-10;5\n",
        ["line 2, column project_code: there is no project 'Z'"],
    ),
    "registers.csv": (
        "ref;project_code;kind;title\nR;Z;risk;t\n",
        ["line 2, column project_code: there is no project 'Z'"],
    ),
    "checklists.csv": (
        "project_code;list;ref;label\nZ;L;1;l\n",
        ["line 2, column project_code: there is no project 'Z'"],
    ),
}


def test_names_that_nobody_knows_are_told_with_their_line(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """`hub check config` warns of each, a sync notes each, and neither is a failure."""
    import json

    config = hub_folder / "config"
    (hub_folder / "in").mkdir()
    (hub_folder / "in" / "a.csv").write_text(
        "Who;Code;Day;H\nnadia;INF;2026-10-05;7\nnadia;OPS;2026-10-05;1\n", encoding="utf-8"
    )
    (hub_folder / "m.toml").write_text(
        'record = "worklog"\n[fields]\naccount_id = "Who"\ncontainer_id = "Code"\n'
        'day = "Day"\nseconds = { column = "H", unit = "hours" }\n'
    )
    with (config / "hub.toml").open("a", encoding="utf-8") as file:
        file.write('\n[sources.jira]\nkind = "tabular"\npath = "in"\nmapping = "m.toml"\n')
    for name, (text, _) in UNKNOWN.items():
        (config / name).write_text(text, encoding="utf-8")
    synced = json.loads(run_hub("sync", "--json").output)
    told = json.loads(run_hub("check", "config", "--json").output)
    warned = [line["detail"] for line in told if line["state"] == "warning"]
    wanted = [f"{name}, {said}" for name, (_, lines) in UNKNOWN.items() for said in lines]
    notes = next(one for one in synced["sources"] if one["source_id"] == "config")["notes"]

    assert [True] * len(wanted) == [any(line.startswith(one) for line in warned) for one in wanted]
    assert len(wanted) == len(warned)
    assert warned[:20] == notes[:20]
    assert [] == [line for line in told if line["state"] == "failed"]
