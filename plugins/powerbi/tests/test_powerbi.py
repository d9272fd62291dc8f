"""A Power BI project: valid by Microsoft's schemas and readers, consistent in itself, complete.

It is not touched once somebody edited it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hub_powerbi import source_m
from hub_powerbi.check import check, parse, unquote
from hub_powerbi.destination import PowerBiDestination, write_project
from hub_powerbi.look import look_of
from hub_powerbi.made import made
from hub_powerbi.names import Names, tmdl_name
from hub_powerbi.project import project_files
from hub_powerbi.reach import dead_slicers
from hub_powerbi.report import pages
from hub_powerbi.report.layout import place
from hub_powerbi.report.shapes import PHONE
from hub_powerbi.testing.certification import PowerBiCertification
from hub_powerbi.tmdl import model_files, relationships

from hub import ConfigError, Delivery, DeliveryContext, DeliveryError, measures, model
from hub.feed import project_to
from hub.records import Container, Task, Worklog
from hub.store import Store
from hub.testing import kept_feed, view_of
from hub.testing.kit import certify

SCHEMAS = Path(__file__).parents[3].parent / "shared" / "data" / "fabric-schemas" / "fabric"
OFFICIAL = Path(os.environ.get("PM_HUB_OFFICIAL", "/nowhere"))
BASE = "https://developer.microsoft.com/json-schemas/fabric/"
LANGS = pytest.mark.parametrize("lang", ["fr", "en"])
WHERE = "/srv/hub/data"


def definition(lang: str = "en", months: int | None = 3) -> dict[str, str]:
    return model_files(name="Hub", lang=lang, location=WHERE, incremental_months=months)


# ---------- Microsoft's own rules ----------


@pytest.mark.long
@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="../shared/data/fabric-schemas is not here")
@LANGS
def test_every_json_file_fits_its_official_schema(lang: str) -> None:
    """Pages, visuals, report, project and platform files, each against the version it names."""
    from jsonschema import Draft7Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT7

    schemas = {
        BASE + path.relative_to(SCHEMAS).as_posix(): json.loads(path.read_text("utf-8-sig"))
        for path in SCHEMAS.rglob("schema*.json")
    }
    registry: Any = Registry().with_resources(
        (url, Resource.from_contents(one, default_specification=DRAFT7)) for url, one in schemas.items()
    )
    found, problems = 0, []
    for path, text in project_files(name="Hub", lang=lang, location=WHERE).items():
        # a theme names no schema of its own
        if "/StaticResources/" not in path and path.endswith(
            (".json", ".pbip", ".pbism", ".pbir", ".platform")
        ):
            document = json.loads(text)
            found += 1
            problems += [
                (path, list(one.path), one.message)
                for one in Draft7Validator(schemas[document["$schema"]], registry=registry).iter_errors(
                    document
                )
            ]

    assert [] == problems
    assert found > 8 + len(pages()) + sum(len(place(page, logo=False)) for page in pages())


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="Microsoft's readers are not here: make check-powerbi")
@LANGS
def test_microsofts_readers_accept_it(tmp_path: Path, lang: str) -> None:
    """The report tool finds nothing but schemas it may not fetch.

    The M parser reads every query and parameter.
    """
    files = project_files(name="Hub", lang=lang, location=WHERE, incremental_months=3)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8", newline="\n")
    said = subprocess.run(
        [OFFICIAL / "node_modules/.bin/powerbi-report-author", "validate", tmp_path / "Hub.pbip"],
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(said.stdout)["data"]
    nodes = parse(definition(lang), [])
    queries = [node.expression or "" for node in nodes if node.kind == "expression"]
    queries += [
        value
        for node in nodes
        if node.kind == "table"
        for child in node.children
        for key, value in child.properties.items()
        if key in {"source", "sourceExpression"}
    ]
    parsed = subprocess.run(
        ["node", OFFICIAL / "parse_m.mjs"],
        input=json.dumps([*queries, "let a = in"]),
        capture_output=True,
        text=True,
        check=True,
    )
    *problems, planted = json.loads(parsed.stdout)

    assert 0 == answer["errorCount"], answer
    assert {"PBIR_SCHEMA_UNREACHABLE"} >= set(answer["diagnostics"])
    assert [None] * len(queries) == problems
    assert planted, "the parser has to refuse a query that is wrong"


# ---------- the model holds together ----------


@LANGS
@pytest.mark.parametrize("months", [None, 3])
def test_the_model_holds_together(lang: str, months: int | None) -> None:
    """No fault in grammar, properties, references or types, with and without an incremental refresh."""
    assert [] == check(definition(lang, months))


BROKEN: dict[str, tuple[str, str, str, str]] = {
    "a property twice": (
        "tables/Measures.tmdl",
        "\t\tformatString: #,##0.0\n",
        "\t\tformatString: #,##0.0\n\t\tformatString: 0\n",
        "given twice",
    ),
    "an unknown property": (
        "tables/Projects.tmdl",
        "\t\tsummarizeBy: none\n",
        "\t\tsummariseBy: none\n",
        "has no property 'summariseBy'",
    ),
    "a wrong type": (
        "tables/Projects.tmdl",
        "\t\tdataType: string\n",
        "\t\tdataType: text\n",
        "cannot be 'text'",
    ),
    "no type": ("tables/Projects.tmdl", "\t\tdataType: string\n", "", "lacks dataType"),
    "no source column": ("tables/Projects.tmdl", "\t\tsourceColumn: code\n", "", "lacks sourceColumn"),
    "a column twice": (
        "tables/Projects.tmdl",
        "\tcolumn Code\n",
        "\tcolumn Project\n",
        "two columns or measures",
    ),
    "names differ in case only": (
        "tables/Projects.tmdl",
        "\tcolumn Code\n",
        "\tcolumn PROJECT\n",
        "two columns or measures",
    ),
    "an unquoted name": ("tables/Projects.tmdl", "\tcolumn 'Project key'\n", "\tcolumn Project key\n", ""),
    "an unclosed quote": ("tables/Projects.tmdl", "\tcolumn 'Project key'\n", "\tcolumn 'Project key\n", ""),
    "spaces for tabs": (
        "tables/Projects.tmdl",
        "\tcolumn Code\n",
        "    column Code\n",
        "indented with spaces",
    ),
    "a jump in depth": ("tables/Projects.tmdl", "\tcolumn Code\n", "\t\t\tcolumn Code\n", ""),
    "a comment": ("tables/Projects.tmdl", "\tcolumn Code\n", "\t// the code\n\tcolumn Code\n", "no comment"),
    "a description apart": (
        "tables/Projects.tmdl",
        "\ntable Projects\n",
        "\n\ntable Projects\n",
        "directly above",
    ),
    "an unknown object": (
        "tables/Projects.tmdl",
        "\tcolumn Code\n",
        "\tfield Code\n",
        "field cannot stand in",
    ),
    "no partition": (
        "tables/Projects.tmdl",
        "\tpartition Projects = m\n\t\tmode: import\n\t\tsource =\n",
        "\tannotation x = m\n",
        "has no partition",
    ),
    "no mode": ("tables/Projects.tmdl", "\t\tmode: import\n", "", "lacks mode"),
    "a wrong mode": (
        "tables/Projects.tmdl",
        "\t\tmode: import\n",
        "\t\tmode: imported\n",
        "cannot be 'imported'",
    ),
    "a query that does not close": (
        "tables/Projects.tmdl",
        'HubTable("dim_project")',
        'HubTable("dim_project"',
        "do not match",
    ),
    "a query of nothing": ("tables/Projects.tmdl", "HubTable(", "HubTables(", "no expression HubTables"),
    "a hierarchy on nothing": (
        "tables/Projects.tmdl",
        "\t\t\tcolumn: Program\n",
        "\t\t\tcolumn: Programme\n",
        "has no column Programme",
    ),
    "sorted by nothing": (
        "tables/Statuses.tmdl",
        "sortByColumn: Order",
        "sortByColumn: Rank",
        "is sorted by Rank",
    ),
    "a measure on nothing": (
        "tables/Measures.tmdl",
        "'Worklogs'[Seconds]",
        "'Worklogs'[Minutes]",
        "has no column [Minutes]",
    ),
    "a measure on no table": (
        "tables/Measures.tmdl",
        "'Worklogs'[Seconds]",
        "'Timesheets'[Seconds]",
        "no table 'Timesheets'",
    ),
    "a measure of no measure": (
        "tables/Measures.tmdl",
        "DIVIDE('Measures'[Allocated hours]",
        "DIVIDE('Measures'[Hours allocated]",
        "no column [Hours allocated]",
    ),
    "DAX that does not close": (
        "tables/Measures.tmdl",
        "SUM('Worklogs'[Seconds])",
        "SUM('Worklogs'[Seconds]",
        "do not match",
    ),
    "a text that does not close": ("tables/Measures.tmdl", '= "EVM_DAYS"', '= "EVM_DAYS', ""),
    "a bare table in DAX": (
        "tables/Measures.tmdl",
        "SUM('Worklogs'[Seconds])",
        "SUM(Worklogs[Seconds])",
        "between quotes",
    ),
    "no format": ("tables/Measures.tmdl", "\t\tformatString: #,##0.0\n", "", "has no formatString"),
    "a measure without DAX": (
        "tables/Measures.tmdl",
        "measure 'Planned hours' = SUM('Workload plan'[Planned (s)]) / 3600",
        "measure 'Planned hours'",
        "has no expression",
    ),
    "a relationship to nothing": (
        "relationships.tmdl",
        "toColumn: Projects.'Project key'",
        "toColumn: Projects.Key",
        "no column Projects.Key",
    ),
    "a relationship of two types": (
        "relationships.tmdl",
        "toColumn: Projects.'Project key'",
        "toColumn: Projects.Code",
        "joins int64 with string",
    ),
    "two ways": ("relationships.tmdl", "\tisActive: false\n", "", "active"),
    "a relationship twice": (
        "relationships.tmdl",
        "relationship fact_worklog_date_key",
        "relationship fact_worklog_project_key",
        "is there twice",
    ),
    "no range": (
        "expressions.tmdl",
        "expression RangeStart",
        "expression RangeBegin",
        "needs the parameters RangeStart",
    ),
    "rows beyond the range": (
        "tables/Worklogs.tmdl",
        "< Date.From(RangeEnd)",
        "< #date(2100, 1, 1)",
        "from RangeStart to RangeEnd",
    ),
    "no permission": (
        "roles/Access.tmdl",
        "\tmodelPermission: read\n",
        "",
        "lacks modelPermission",
    ),
    "a role on nothing": (
        "roles/Access.tmdl",
        "tablePermission Projects",
        "tablePermission Portfolio",
        "no table Portfolio",
    ),
    "a table left open": (
        "roles/Access.tmdl",
        "tablePermission Worklogs",
        "tablePermission Calendar",
        "leaves Worklogs open",
    ),
    "a translation of nothing": (
        "cultures/fr-FR.tmdl",
        "\t\t\ttable Projects\n",
        "\t\t\ttable Project\n",
        "which is not there",
    ),
    "a reference to nothing": ("model.tmdl", "ref table Projects", "ref table Project", "no such object"),
    "no V3": (
        "model.tmdl",
        "\tdefaultPowerBIDataSourceVersion: powerBI_V3\n",
        "",
        "lacks defaultPowerBIDataSourceVersion",
    ),
    "no database line": ("database.tmdl", "database Hub\n\t", "", "not one"),
    "a calendar without key": ("tables/Calendar.tmdl", "\t\tisKey\n", "", "isKey"),
    "a mark before the text": ("tables/Calendar.tmdl", "", "\ufeff", "byte-order mark"),
    "ends of lines of Windows": ("database.tmdl", "\n", "\r\n", "line ends"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_refused(name: str) -> None:
    """Each of these models would not open; the checker says where and why."""
    file, old, new, words = BROKEN[name]
    files = definition()
    assert old in files[file], "the fault has to be planted"
    files[file] = files[file].replace(old, new, 1) if old else new + files[file]
    problems = check(files)

    assert problems
    assert any(words in one.what for one in problems), problems[:3]


@LANGS
def test_the_role_narrows_every_table_with_a_project_a_team_or_a_person(lang: str) -> None:
    """One role for both; only what is of neither is everybody's."""
    names = Names(lang)
    (role,) = [node for node in parse(definition(lang), []) if node.kind == "role"]
    narrowed = {unquote(child.name) for child in role.children}
    whose = re.compile(r"project|person|team|task_key|scope_code|user_principal|iteration")
    keyed = {
        names.tables[name]
        for name in names.tables
        if any(whose.search(column) for column in model().tables[name].columns)
    }

    assert keyed == narrowed
    assert {"dim_date", "dim_cut", "dim_source", "dim_status", "fact_adoption"} == {
        name for name, caption in names.tables.items() if caption not in narrowed
    }


def test_rights_filter_through_the_role_alone() -> None:
    """Who sees what, and what that reaches, carry no filter of their own into projects."""
    carrying = {one.source[0] for one in relationships() if one.active}

    assert set() == {"dim_access", "bridge_access"} & carrying
    assert "bridge_task_value" in carrying


@LANGS
def test_the_role_says_what_the_hub_says(lang: str) -> None:
    """A row of hours shows by its project, its person's team, or both; a budget by its project alone."""
    names = Names(lang)
    (role,) = [node for node in parse(definition(lang), []) if node.kind == "role"]
    told = {unquote(child.name): child.expression or "" for child in role.children}
    project, team = names.column("fact_worklog", "project_key"), names.column("dim_person", "team")
    last = {
        name: told[names.tables[name]].splitlines()[-1].strip() for name in ("fact_worklog", "fact_budget")
    }

    assert (
        f"RETURN {project} IN _projects || (RELATED({team}) IN _teams) "
        f"|| (({project}, RELATED({team})) IN _parts)"
    ) == last["fact_worklog"]
    assert f"RETURN {names.column('fact_budget', 'project_key')} IN _projects" == last["fact_budget"]
    assert (
        f"{names.column('dim_access', 'user_principal')} = USERPRINCIPALNAME()"
        == told[names.tables["dim_access"]]
    )


def parts(lang: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files of the model and of the report, by their paths below ``definition/``."""
    files = project_files(name="Hub", lang=lang, location=WHERE)
    model_part, report_part = (
        {
            path.partition("/definition/")[2]: text
            for path, text in files.items()
            if f"{kind}/definition/" in path
        }
        for kind in ("SemanticModel", "Report")
    )
    return model_part, report_part


@LANGS
def test_every_slicer_filters_every_visual_of_its_page(lang: str) -> None:
    """By active relationships, or because the measure asks for it."""
    assert [] == dead_slicers(*parts(lang))


def test_a_slicer_that_filters_nothing_is_told() -> None:
    """A relationship that is not active carries no filter; nor does a table that nothing points to."""
    model_part, report_part = parts("en")
    ways = model_part["relationships.tmdl"]
    line = "relationship fact_register_project_key\n"
    assert line in ways
    asleep = model_part | {"relationships.tmdl": ways.replace(line, f"{line}\tisActive: false\n")}
    told = [one.what for one in dead_slicers(asleep, report_part)]
    page = next(path for path, text in report_part.items() if path.endswith("page.json") and '"Flow"' in text)
    place = page.removesuffix("page.json") + "visuals/"
    elsewhere = {
        path: text.replace('"Projects"', '"Targets"') if path.startswith(place) else text
        for path, text in report_part.items()
    }

    assert any(one.startswith("a slicer on Projects does not filter tableEx") for one in told), told
    assert all("Risks and actions" in one for one in told), told
    assert any(
        one.what.startswith("a slicer on Targets does not filter") and one.where == page
        for one in dead_slicers(model_part, elsewhere)
    )


def test_what_a_page_keeps_from_a_slicer_is_told() -> None:
    """A curve over cuts may show every cut; a card that is kept from a slicer would be believed narrowed."""
    model_part, report_part = parts("en")
    path, page = next((path, json.loads(text)) for path, text in report_part.items() if '"NoFilter"' in text)
    place = path.removesuffix("page.json") + "visuals/"
    visuals = [
        json.loads(text) for at, text in report_part.items()
        if at.startswith(place) and at.endswith("visual.json")
    ]  # fmt: skip
    bar = next(one["name"] for one in visuals if one["visual"]["visualType"] == "clusteredBarChart")
    page["visualInteractions"][0]["target"] = bar

    told = [one.what for one in dead_slicers(model_part, report_part | {path: json.dumps(page)})]
    assert ["a slicer on Cuts is kept from clusteredBarChart"] == told


@LANGS
def test_every_visual_is_read_aloud_and_reached_by_the_keyboard(lang: str) -> None:
    """A text of its own beside each picture, and one place in the order of its page."""
    by_page: dict[str, list[dict[str, Any]]] = {}
    for path, text in parts(lang)[1].items():
        if path.endswith("/visual.json"):
            by_page.setdefault(path.split("/")[1], []).append(json.loads(text))
    aloud = [
        one["visual"]["visualContainerObjects"]["general"][0]["properties"]["altText"]["expr"]["Literal"]["Value"]
        for visuals in by_page.values() for one in visuals
    ]  # fmt: skip

    assert len(pages()) == len(by_page)
    assert min(len(one) for one in aloud) > 10
    for visuals in by_page.values():
        order = sorted(one["position"]["tabOrder"] for one in visuals)
        assert [1000 * number for number in range(1, len(visuals) + 1)] == order


@pytest.mark.long
def test_an_edited_project_has_the_new_one_beside(tmp_path: Path) -> None:
    """What a person made stays to the byte; a whole project that reads the same data stands beside."""
    deliver(tmp_path)
    mine = tmp_path / "bi" / "Hub.Report" / "definition" / "report.json"
    mine.write_text(mine.read_text().replace("true", "false"))
    before = mine.read_bytes()
    deliver(tmp_path, lang="fr")

    assert before == mine.read_bytes()
    assert (tmp_path / "bi" / "new" / "Hub.pbip").is_file()
    assert '"Synthèse"' in "".join(path.read_text() for path in (tmp_path / "bi" / "new").rglob("page.json"))


def test_a_theme_and_a_logo_are_the_companys(tmp_path: Path) -> None:
    """Its colours win over ours, its picture is on every page, and what is no theme or picture is refused."""
    (tmp_path / "ours.json").write_text(
        '{"name": "x", "good": "#00AA00", "textClasses": {"title": {"fontSize": 14}}}'
    )
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n rest")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "fake.png").write_bytes(b"GIF89a")
    files = project_files(
        name="Hub", lang="en", location=WHERE,
        look=look_of("bi", tmp_path / "ours.json", tmp_path / "logo.png"),
    )  # fmt: skip
    (theme,) = (json.loads(one) for path, one in files.items() if "RegisteredResources/pm-hub" in path)
    logos = sum(1 for one in files.values() if isinstance(one, str) and '"visualType": "image"' in one)

    assert ("#00AA00", 14, "#B3261E") == (
        theme["good"], theme["textClasses"]["title"]["fontSize"], theme["bad"]
    )  # fmt: skip
    assert [b"\x89PNG\r\n\x1a\n rest"] == [one for one in files.values() if isinstance(one, bytes)]
    assert logos == sum(1 for page in pages() if page.kind != "tip")
    for theme_file, logo_file, words in (
        ("list.json", None, "no theme"), ("none.json", None, "could not be read"),
        (None, "fake.png", "no picture"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            look_of("bi", theme_file and tmp_path / theme_file, logo_file and tmp_path / logo_file)


def test_columns_are_those_of_the_parquet_files(tmp_path: Path) -> None:
    """Every column of the model is in its file, with a type that Power BI reads as the one the model says."""
    deliver(tmp_path)
    wanted = {
        "int64": {"BIGINT"},
        "double": {"DOUBLE"},
        "decimal": {"DECIMAL(18,2)"},
        "string": {"VARCHAR"},
        "dateTime": {"DATE", "TIMESTAMP"},
    }
    names = Names("en")
    tables = {name: table for table, name in names.tables.items()}
    seen = 0
    for node in parse(definition(), []):
        table = tables.get(node.name.strip("'"))
        if node.kind != "table" or table is None:
            continue
        described = duckdb.sql(
            f"DESCRIBE SELECT * FROM '{tmp_path / 'bi' / 'data' / table}.parquet'"
        ).fetchall()
        there = {row[0]: row[1] for row in described}
        for column in node.children:
            if column.kind == "column" and column.properties["sourceColumn"] not in made().get(table, {}):
                seen += 1
                assert there[column.properties["sourceColumn"]] in wanted[column.properties["dataType"]], (
                    table,
                    column.name,
                )

    assert seen == sum(len(model().tables[table].columns) for table in names.tables)


@LANGS
def test_the_report_shows_what_the_model_has(lang: str) -> None:
    """Every table, column and measure that a visual or a filter names is in the model.

    Microsoft's tool does not look.
    """
    nodes = {node.name: node for node in parse(definition(lang), []) if node.kind == "table"}
    have = {
        (name.strip("'").replace("''", "'"), child.name.strip("'").replace("''", "'"), child.kind)
        for name, node in nodes.items()
        for child in node.children
    }
    used: set[tuple[str, str, str]] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for kind in ("Column", "Measure"):
                if kind in value and "Entity" in value[kind]["Expression"]["SourceRef"]:
                    used.add(
                        (
                            value[kind]["Expression"]["SourceRef"]["Entity"],
                            value[kind]["Property"],
                            kind.lower(),
                        )
                    )
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    for path, text in project_files(name="Hub", lang=lang, location=WHERE).items():
        if path.startswith("Hub.Report/definition/") and path.endswith(".json"):
            look(json.loads(text))

    assert len(used) > 50
    assert set() == used - have


@LANGS
@pytest.mark.parametrize("logo", [False, True])
def test_pages_are_laid_out(lang: str, logo: bool) -> None:
    """Nothing overlaps or leaves the page, on a screen and on a phone.

    Two visuals stand at one place only where each shows in a view of its own; a title fits its visual (8
    pixels a letter of a screen).
    """
    for page in pages():
        placed = place(page, logo=logo)
        for number, one in enumerate(placed):
            box = one.screen
            assert box.x >= 0, one
            assert box.y >= 0, one
            assert box.x + box.width <= page.width, one
            assert box.y + box.height <= page.height, one
            if one.visual.kind not in {"textbox", "actionButton", "image", "card", "slicer"}:
                assert 7 * len(one.visual.title(lang)) <= box.width, one.visual.title(lang)
            for other in placed[number + 1 :]:
                views = {one.visual.view, other.visual.view}
                assert box.apart(other.screen) or views == {"committee", "detail"}, (page.code, one, other)
                if one.phone and other.phone:
                    assert one.phone.apart(other.phone), (page.code, one.visual.key, other.visual.key)
            if one.phone:
                assert one.phone.x + one.phone.width <= PHONE, one


def test_every_measure_and_table_is_in_both_languages() -> None:
    """All measures are written; the second language names each table and what is called otherwise."""
    for lang, other in (("fr", "en"), ("en", "fr")):
        files = definition(lang)
        names, culture = Names(lang), "fr-FR" if other == "fr" else "en-US"
        text = files[f"tables/{names.measures_table}.tmdl"]
        translated = files[f"cultures/{culture}.tmdl"]
        for code in measures():
            assert f"\tmeasure {tmdl_name(names.measures[code])} = " in text
        for caption in Names(other).tables.values():
            assert f"caption: {caption}\n" in translated


def test_the_same_twice() -> None:
    """Written again, every file has the same bytes: names and identities derive from what things mean."""
    assert project_files(name="Hub", lang="fr", location=WHERE) == project_files(
        name="Hub", lang="fr", location=WHERE
    )


def test_one_way_only_between_two_tables() -> None:
    """Each fact reaches each dimension by at most one active relationship, the calendar included."""
    active = [(one.source[0], one.target[0]) for one in relationships() if one.active]

    assert len(active) == len(set(active))
    assert {"dim_date", "dim_project", "dim_cut", "dim_person"} <= {target for _, target in active}
    assert {"fact_worklog", "fact_budget", "fact_capacity_week", "fact_project_snapshot"} <= {
        source for source, target in active if target == "dim_date"
    }


# ---------- where the files lie ----------


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/srv/hub/data", "File.Contents"),
        ("C:\\hub\\data", "File.Contents"),
        ("\\\\nas\\pmo\\data", "File.Contents"),
        ("https://reports.example.org/hub", "Web.Contents(HubLocation, [RelativePath = file])"),
        (
            "https://acme.sharepoint.com/sites/PMO/Shared Documents/hub",
            'SharePoint.Files("https://acme.sharepoint.com/sites/PMO"',
        ),
        (
            "https://onelake.dfs.fabric.microsoft.com/ws/lh.Lakehouse/Files/hub",
            "AzureStorage.DataLake(HubLocation)",
        ),
        ("postgresql://db.example.org:5433/reporting/feed", "PostgreSQL.Database(HubLocation, HubDatabase"),
    ],
)
def test_the_query_fits_the_place(location: str, words: str) -> None:
    """Each kind of location is opened its own way, and the model holds together.

    A folder, a share, an address, SharePoint, OneLake, PostgreSQL.
    """
    files = model_files(name="Hub", lang="en", location=location, incremental_months=None)

    assert words in files["expressions.tmdl"]
    assert all(text in files["expressions.tmdl"] for text in source_m.parameters(location).values())
    assert [] == check(files)


def test_a_database_is_three_parameters_and_a_connection_file() -> None:
    """Server, database and schema can be changed apart.

    The connection file names the connector of PostgreSQL.
    """
    location = "postgresql://db.example.org:5433/reporting/feed"
    shown = {name: text.partition(" meta ")[0] for name, text in source_m.parameters(location).items()}
    files = project_files(name="Hub", lang="en", location=location)

    assert {
        "HubLocation": '"db.example.org:5433"',
        "HubDatabase": '"reporting"',
        "HubSchema": '"feed"',
    } == shown
    assert {
        "protocol": "postgresql",
        "address": {"server": "db.example.org:5433", "database": "reporting"},
    } == json.loads(files["Hub.pbids"])["connections"][0]["details"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"location": "https://me:secret@example.org/x"}, "without key"),
        ({"location": "https://x.example.org/y?sig=secret"}, "without key"),
        ({"location": "http://example.org/x"}, "not encrypted"),
        ({"location": "ftp://example.org/x"}, "neither a folder"),
        ({"location": "postgresql://me:secret@db/a/feed"}, "without key"),
        ({"location": "postgresql://db/reporting"}, "not of the form"),
        ({"project": "a/b"}, "plain name"),
        ({"project": ""}, "plain name"),
        ({"incremental_months": 0}, "1 to 120"),
    ],
)
def test_settings_that_only_a_person_can_mend(settings: dict[str, Any], words: str) -> None:
    """The sentence says what to write; a secret in the address is refused and never repeated."""
    with pytest.raises(ConfigError, match=words) as caught:
        PowerBiDestination(name="bi", path="bi", **settings)

    assert "secret" not in str(caught.value)


# ---------- delivering ----------


def fill(store: Store, seconds: int) -> None:
    store.register_source(
        "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
    )
    run = store.begin_run("s", "full")
    store.write_batch(
        [
            Container(id="s:c", kind="plan", code="P-1", name="First"),
            Task(id="s:1", container_id="s:c", title="Build", status_native="done"),
            Worklog(id="s:w", container_id="s:c", day="2026-01-05", seconds=seconds),
        ],
        run_id=run,
        source_id="s",
    )
    store.end_run(run, "ok")


def deliver(tmp_path: Path, *, lang: Literal["en", "fr"] = "en", seconds: int = 25200) -> Delivery:
    """Deliver the feed of so many seconds, at the level that the destination has by itself."""
    place = PowerBiDestination(name="bi", path="bi")
    folder = kept_feed(fill, seconds, lang=lang)
    level = project_to(place.privacy, folder, folder.parent / "projections")
    context = DeliveryContext(base=tmp_path, name="bi", session=lambda: None)
    with view_of(level, lang=lang) as view:
        return place.deliver(context, view)


def hours_in(tmp_path: Path) -> list[Any]:
    return duckdb.sql(
        f"SELECT sum(seconds) FROM '{tmp_path / 'bi' / 'data' / 'fact_worklog.parquet'}'"
    ).fetchall()


def test_the_project_opens_on_the_data(tmp_path: Path) -> None:
    """One folder holds data, project and shortcut.

    The parameter points to the data; only this account may read them.
    """
    report = deliver(tmp_path)
    root = tmp_path / "bi"

    assert (str(root / "Hub.pbip"),) == tuple(report.open_next)
    assert [(25200,)] == hours_in(tmp_path)
    assert (
        f'"{root / "data"}"' in (root / "Hub.SemanticModel" / "definition" / "expressions.tmdl").read_text()
    )
    assert (
        "../Hub.SemanticModel"
        == json.loads((root / "Hub.Report" / "definition.pbir").read_text())["datasetReference"]["byPath"][
            "path"
        ]
    )
    assert all(path.stat().st_mode & 0o077 == 0 for path in root.rglob("*") if path.is_file())
    assert not any(
        b"\r\n" in path.read_bytes() or path.read_bytes().startswith(b"\xef\xbb\xbf")
        for path in root.rglob("*.tmdl")
    )


@pytest.mark.long
def test_an_edited_project_is_left_alone(tmp_path: Path) -> None:
    """Data goes on arriving; what a person made of the report stays.

    A note says when the hub would write it otherwise.
    """
    deliver(tmp_path)
    report_json = tmp_path / "bi" / "Hub.Report" / "definition" / "report.json"
    report_json.write_text(report_json.read_text().replace("true", "false"))
    edited = report_json.read_bytes()
    same = deliver(tmp_path, seconds=100)
    fewer = hours_in(tmp_path)
    other = deliver(tmp_path, lang="fr")

    assert () == tuple(same.notes)
    assert "was edited" in other.notes[0]
    assert edited == report_json.read_bytes()
    assert ([(100,)], [(25200,)]) == (fewer, hours_in(tmp_path))


def test_a_project_nobody_edited_follows(tmp_path: Path) -> None:
    """Another language, and what is no longer written goes."""
    deliver(tmp_path)
    report = deliver(tmp_path, lang="fr")
    tables = {
        path.stem for path in (tmp_path / "bi" / "Hub.SemanticModel" / "definition" / "tables").iterdir()
    }

    assert () == tuple(report.notes)
    assert "Projets" in tables
    assert "Projects" not in tables


def test_an_interruption_is_no_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut after any file, the next writing ends in the new project, whatever it is."""
    old, new, newest = ({f"{n}.txt": f"{word} {n}" for n in range(5)} for word in ("old", "new", "newest"))
    real = os.replace
    for moment in range(1, 7):
        root = tmp_path / str(moment)
        root.mkdir()
        write_project(root, old)
        remaining = [moment]

        def die(src: Any, dst: Any, remaining: list[int] = remaining) -> None:
            remaining[0] -= 1
            if not remaining[0]:
                raise KeyboardInterrupt
            real(src, dst)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", die)
            with pytest.raises(KeyboardInterrupt):
                write_project(root, new)
        notes = write_project(root, newest)

        assert () == notes
        assert newest == {path.name: path.read_text() for path in root.glob("*.txt")}


def test_a_model_that_does_not_hold_together_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure of a plugin with a name that breaks the model stops the delivery with a sentence."""
    monkeypatch.setattr("hub_powerbi.tmdl.relationships", list)
    files = definition()
    monkeypatch.setattr(
        "hub_powerbi.project.model_files", lambda **_: files | {"relationships.tmdl": "relationship x\n"}
    )

    with pytest.raises(DeliveryError, match=re.escape("lacks fromColumn")):
        project_files(name="Hub", lang="en", location=WHERE)


@pytest.mark.long
def test_gold(proof: bool) -> None:
    """The kit delivers, cuts, refuses and repeats."""
    only = () if proof else ("delivers-the-feed", "privacy-level-is-kept")
    report = certify(PowerBiCertification(), only=only)

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
