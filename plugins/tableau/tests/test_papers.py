"""The data sources and the workbook: valid by Tableau's own schema, and their figures are those of the feed.

Calculated fields are asked of Tableau's engine: what they say is written as its SQL, over the tables,
columns, relationships and filter that the data source itself names.
"""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hub_tableau import hyper
from hub_tableau.committee import tables_of
from hub_tableau.destination import TableauDestination
from hub_tableau.formulas import formula
from hub_tableau.package import pack
from hub_tableau.source import DataSource, Field, quoted, written
from hub_tableau.star import data_source, number_format
from hub_tableau.workbook import DASHBOARDS, SHEETS, workbook
from tableau_schema import errors_of, needs_schema

from hub import HIERARCHIES, FeedView, Story, measures, model, tell
from hub.feed import BuildOptions
from hub.publish import PublishOptions, cuts, publish
from hub.records import (
    Account,
    Assessment,
    Baseline,
    BudgetLine,
    Container,
    Project,
    Rate,
    Record,
    RegisterItem,
    Target,
    Task,
    Worklog,
)
from hub.store import Store
from hub.testing import view_of
from hub.testing.fixtures import store_at

TODAY = date.today()
DAY = 25200
FACTS = tuple(name for name in model().tables if name.startswith("fact_"))
HERE = importlib.util.find_spec("tableauhyperapi") is not None
needs_engine = pytest.mark.skipif(not HERE, reason="needs the extra [hyper]: run `make test-tableau`")


def ago(days: int) -> str:
    return str(TODAY - timedelta(days=days))


def ahead(days: int) -> str:
    return str(TODAY + timedelta(days=days))


def sync(store: Store, *records: Record) -> None:
    source = records[0].id.partition(":")[0]
    store.register_source(
        source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=360000
    )
    run = store.begin_run(source, "full")
    store.write_batch(list(records), run_id=run, source_id=source)
    store.end_run(run, "ok")


def plan(n: int, slip: int) -> list[Record]:
    """Return of project *n* a task of ten days that is half done, and a milestone that slips."""
    box = f"plans:{n}"
    return [
        Container(id=box, kind="plan", code=f"P{n}", name=f"P{n}", seconds_per_day=DAY),
        Task(id=f"plans:t{n}", container_id=box, title="Build", estimate_s=10 * DAY, remaining_s=5 * DAY,
             labels={1: "red blue", 2: "blue"}.get(n), percent=50.0,
             planned_start_on=ago(60), planned_finish_on=ahead(30)),
        Baseline(id=f"plans:b{n}", task_id=f"plans:t{n}", start_on=ago(60), finish_on=ago(1),
                 effort_s=8 * DAY),
        Task(id=f"plans:m{n}", container_id=box, title=f"Go <live> & {n}", kind="milestone",
             planned_finish_on=ahead(10 + slip)),
        Baseline(id=f"plans:n{n}", task_id=f"plans:m{n}", start_on=ahead(10), finish_on=ahead(10)),
    ]  # fmt: skip


def portfolio(store: Store) -> None:
    """Fill *store* with three projects that have a plan, hours, money, a weather, risks and decisions."""
    numbers = range(1, 4)
    sync(
        store,
        Target(id="config:t", kpi="MILESTONE_SLIP", measure="slip_days", goal=0.0, amber=5.0, red=20.0,
               direction="down"),
        Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=50000),
        *(Project(id=f"config:{i}", code=f"P{i}", name=f'"Name" [{i}] & <co>') for i in numbers),
    )  # fmt: skip
    sync(store, *(record for i in numbers for record in plan(i, 0)))
    sync(
        store,
        *(Assessment(id=f"said:{i}", project_code=f"P{i}", day=ago(1), axis="overall",
                     rag=("green", "amber", "red")[i % 3], commentary="The supplier is late.")
          for i in numbers),
    )  # fmt: skip
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    sync(store, *(record for i in numbers for record in plan(i, 10 * i)))
    sync(
        store,
        Account(id="times:u", display_name="Nadia Roy"),
        *(Container(id=f"times:{i}", kind="table", code=f"P{i}", name=f"P{i}") for i in numbers),
        *(Worklog(id=f"times:w{i}", container_id=f"times:{i}", account_id="times:u", day=ago(40),
                  seconds=6 * DAY) for i in numbers),
        Worklog(id="times:later", container_id="times:1", account_id="times:u", day=ahead(3), seconds=DAY),
    )  # fmt: skip
    sync(
        store,
        *(BudgetLine(id=f"erp:{kind}{i}", project_code=f"P{i}", month=ago(40)[:7], kind=kind,
                     category="services", amount_minor=amount * i)
          for i in numbers for kind, amount in (("baseline", 1_200_000), ("consumed", 700_000))),
    )  # fmt: skip
    sync(
        store,
        *(RegisterItem(id=f"reg:r{i}", project_code=f"P{i}", kind="risk", title=f"Supplier {i}",
                       probability=0.5, impact=4, exposure_minor=1_000_000, opened_on=ago(90))
          for i in numbers),
        *(RegisterItem(id=f"reg:d{i}", project_code=f"P{i}", kind="decision", title=f"Choose {i}",
                       asked_of="COPIL", opened_on=ago(20), due_on=ahead(3)) for i in numbers),
    )  # fmt: skip


Delivered = tuple[Path, FeedView]


@pytest.fixture(scope="module", params=["en", "fr"])
def delivered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Delivered]:
    """Give the folder of a delivery of all facts, and the feed that it is of."""
    base = tmp_path_factory.mktemp("tableau")
    with store_at(base / "hub.db") as store:
        portfolio(store)
        place = TableauDestination(name="t", path="out", facts=FACTS, privacy="nominative-line")
        report = publish(
            store, base / "feed", [place],
            PublishOptions(base=base, build=BuildOptions(lang=request.param), force="a test"),
        )  # fmt: skip
        assert [None] == [one.error for one in report.deliveries]
        with view_of(Path(report.folder), lang=request.param) as view:
            yield base / "out" / "latest", view


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedView]:
    """Give the feed of a store that knows one project and nothing of it."""
    base = tmp_path_factory.mktemp("empty")
    with store_at(base / "hub.db") as store:
        sync(store, Project(id="config:1", code="A", name="Alpha"))
        report = publish(
            store, base / "feed", [], PublishOptions(base=base, build=BuildOptions(), force="a test")
        )
        with view_of(Path(report.folder)) as view:
            yield view


def described(path: Path) -> ET.Element:
    """Return the description in a package."""
    with zipfile.ZipFile(path) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith((".tds", ".twb"))]
        return ET.fromstring(archive.read(name))


# ---------- valid ----------


@needs_schema
@pytest.mark.parametrize("year", ["2026_1", "2026_2"])
@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("history", [False, True])
def test_every_data_source_is_valid(year: str, lang: str, history: bool) -> None:
    """By Tableau's schema: no error, none left out of the count."""
    for fact in FACTS:
        one = data_source(fact, lang, 'A "name" & <more>', TODAY, history=history)

        assert [] == errors_of(written(one.element(alone=True)), year), fact


@needs_schema
@needs_engine
@pytest.mark.parametrize("year", ["2026_1", "2026_2"])
def test_the_workbook_is_valid(delivered: Delivered, year: str) -> None:
    """As it was delivered, with names that XML has to escape."""
    found = described(delivered[0] / "committee.twbx")

    assert [] == errors_of(written(found), year)


@needs_schema
@pytest.mark.parametrize("year", ["2026_1", "2026_2"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_workbook_of_nothing_is_valid_and_says_so(empty: FeedView, year: str, lang: Any) -> None:
    """Each sheet without rows leaves its place on its dashboard to a sentence."""
    story = tell(empty, lang=lang)
    found = workbook(story, [])
    said = "".join(found.itertext())

    assert [] == errors_of(written(found), year)
    assert len(SHEETS) == said.count("Nothing to show" if lang == "en" else "Rien à montrer")


@needs_schema
def test_the_schema_finds_what_is_wrong(empty: FeedView) -> None:
    """A field without a role is an error: the check is one that can fail."""
    one = data_source("fact_kpi", "en", "x", TODAY, history=False).element(alone=True)
    del next(one.iter("column")).attrib["role"]

    assert 1 == len(errors_of(written(one), "2026_1"))


# ---------- what a data source says ----------


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("fact", FACTS)
def test_what_is_kept_at_cuts_is_never_summed(fact: str, lang: str) -> None:
    """Only what adds up over rows is a sum by itself; a source with cuts shows the latest one."""
    one = data_source(fact, lang, "x", TODAY, history=False)
    sums = {field.name for field in one.fields if field.is_measure and field.adds_up}
    root = one.element(alone=True)
    columns = {column.get("name"): column for column in root.findall("column")}
    summed = {name for name, column in columns.items() if column.get("aggregation") == "Sum"}
    has_cuts = "cut_key" in model().tables[fact].columns
    kept = [filtered.get("column") for filtered in root.findall("filter")]

    assert sums == summed
    assert not (has_cuts and any(name and name.startswith(f"[{fact}.") for name in summed))
    assert (["[dim_cut.is_latest]"] if has_cuts else []) == kept


def test_history_lifts_the_filter() -> None:
    """Then a calculated field is blank until one cut is chosen."""
    one = data_source("fact_kpi", "en", "x", TODAY, history=True)

    assert [] == one.element(alone=True).findall("filter")
    assert all("MIN([fact_kpi.cut_key]) = MAX([fact_kpi.cut_key])" in each.formula
               for each in one.calculations if "[fact_kpi." in each.formula)  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_captions_are_told_apart(lang: str) -> None:
    """No two fields of a data source are called alike: Tableau would rename one of them."""
    for fact in FACTS:
        captions = [
            one.caption.casefold() for one in data_source(fact, lang, "x", TODAY, history=False).described
        ]

        assert len(set(captions)) == len(captions), fact


def test_names_are_those_of_the_feed_in_every_language() -> None:
    """A workbook made in French stays whole when the feed speaks English."""
    french, english = (data_source("fact_kpi", lang, "x", TODAY, history=False) for lang in ("fr", "en"))

    assert [one.name for one in french.described] == [one.name for one in english.described]
    assert [one.caption for one in french.described] != [one.caption for one in english.described]


def test_every_measure_of_the_catalogue_is_a_calculated_field() -> None:
    """Of its fact; those as of another cut are left to the fact of what moved."""
    wanted = {
        code for code, one in measures().items()
        if one.table in FACTS and "previous_ordinal" not in one.where
    }  # fmt: skip
    found = {
        one.name.strip("[]")
        for fact in FACTS
        for one in data_source(fact, "en", "x", TODAY, history=False).calculations
    }

    assert wanted <= found


def test_hierarchies_are_those_of_the_model() -> None:
    root = data_source("fact_worklog", "fr", "x", TODAY, history=False).element(alone=True)
    found = {path.get("name"): [one.text for one in path] for path in root.iter("drill-path")}

    assert {fr for (fr, _), _ in HIERARCHIES.values()} == found.keys()
    assert ["[dim_project.portfolio]", "[dim_project.program]", "[dim_project.name]"] == found["Portefeuille"]


@pytest.mark.parametrize(
    ("shape", "wanted"), [("#,##0.0", "n#,##0.0;-#,##0.0"), ("0%", "p0%"), ("0.0%", "p0.0%"), ("", "")]
)
def test_a_format_is_written_as_tableau_does(shape: str, wanted: str) -> None:
    assert wanted == number_format(shape)


def test_a_name_may_hold_anything() -> None:
    """Brackets, quotes, and what XML cannot hold."""
    one = DataSource(
        name="t", caption="a\x00b", extract="x.hyper", tables={"t": "a [b] ]c"}, fields=(
            Field(name="[t.c]", table="t", remote='say "]" & <co>', caption="\ud800 ü\x07", kind="DOUBLE"),
        ),
    )  # fmt: skip
    again = ET.fromstring(written(one.element(alone=False)))
    (mapped,) = again.iter("map")

    assert ("ab", '[a [b]] ]]c].[say "]]" & <co>]') == (again.get("caption"), mapped.get("value"))
    assert " ü" == again.findall("column")[0].get("caption")
    assert r'"a \"b\" \\ c"' == quoted('a "b" \\ c')


# ---------- figures ----------

_TOKEN = re.compile(r'"(?:[^"]|"")*"|\[[^\]]+\]|#[\d-]+#|\bELSEIF\b|\bIF\b|STARTSWITH| / ')


class Asked:
    """A data source as Tableau's engine reads it: by its own description alone."""

    def __init__(self, path: Path, folder: Path, process: Any) -> None:
        """Unpack the extract and read the names."""
        self.root, self.process = described(path), process
        with zipfile.ZipFile(path) as archive:
            (inside,) = [one for one in archive.namelist() if one.endswith(".hyper")]
            assert inside == next(
                one.get("dbname") for one in self.root.iter("connection") if one.get("class") == "hyper"
            )
            self.extract = folder / "inside.hyper"
            self.extract.write_bytes(archive.read(inside))
        self.names = {
            one.get("key"): self.quoted(str(one.get("value")))
            for one in self.root.iter("map")
            if one.get("key")
        }

    @staticmethod
    def quoted(name: str) -> str:
        parts = re.findall(r"\[((?:[^\]]|\]\])*)\]", name)
        return ".".join(hyper.quoted(part.replace("]]", "]")) for part in parts)

    @property
    def source(self) -> str:
        """Return what to read from: the first table, with all that is related to it, and the filter."""
        tables = [self.quoted(str(one.get("table"))).partition(".")[2] for one in self.root.iter("relation")
                  if one.get("type") == "table"]  # fmt: skip
        said = tables[0]
        for one in self.root.iter("relationship"):
            left, right = (str(each.get("op")) for each in one.findall("expression/expression"))
            there = self.names[right].rpartition(".")[0]
            if right.startswith("[bridge_"):
                continue  # several rows of one: Tableau adds measures up before it relates such a table
            said += f" LEFT JOIN {there} ON {self.names[left]} = {self.names[right]}"
        tests = [
            f"{self.names[str(one.get('column'))]} = {one[0].get('member')}"
            for one in self.root.findall("filter")
        ]
        return said + (f" WHERE {' AND '.join(tests)}" if tests else "")

    def sql(self, said: str) -> str:
        """Write a calculated field as SQL of the engine."""

        def put(found: re.Match[str]) -> str:
            token = found.group()
            if token.startswith("["):
                return self.names[token]
            if token.startswith('"'):
                return hyper.text(token[1:-1].replace('""', '"'))
            if token.startswith("#"):
                return f"DATE '{token[1:-1]}'"
            return {"IF": "CASE WHEN", "ELSEIF": "WHEN", "STARTSWITH": "starts_with",
                    " / ": " * CAST(1 AS DOUBLE PRECISION) / "}[token]  # fmt: skip

        return _TOKEN.sub(put, re.sub(r"ISNULL\((\[[^\]]+\])\)", r"(\1 IS NULL)", said))

    def by_project(self, name: str, fact: str) -> dict[Any, Any]:
        """Return a calculated field by the key of the project, where it says something."""
        (said,) = [
            str(one[0].get("formula")) for one in self.root.findall("column")
            if one.get("name") == name and one[0].tag == "calculation"
        ]  # fmt: skip
        with hyper.opened(self.process, self.extract, new=False) as connection:
            rows = connection.execute_list_query(
                f"SELECT {self.names[f'[{fact}.project_key]']}, {self.sql(said)} FROM {self.source} "
                "GROUP BY 1"
            )
        return {key: plain(value) for key, value in rows if value}


def plain(value: Any) -> Any:
    return value if isinstance(value, str) else pytest.approx(float(value))


@needs_engine
def test_calculated_fields_are_the_measures_of_the_feed(delivered: Delivered, tmp_path: Path) -> None:
    """Each, by project: at the latest cut of two, the last period, and of hours up to that day."""
    folder, view = delivered
    asked, compared = 0, 0
    with hyper.engine() as process:
        for fact in FACTS:
            source = Asked(folder / f"{fact}.tdsx", tmp_path, process)
            for code, one in measures().items():
                if one.table != fact or "project_key" not in model().tables[fact].columns:
                    continue
                if formula(one, TODAY) is None:
                    continue
                wanted = view.connection.execute(
                    f"SELECT project_key, {one.sql} FROM {fact} WHERE {one.where} GROUP BY 1"
                ).fetchall()
                found = source.by_project(f"[{code}]", fact)
                asked += 1
                compared += len(found)

                assert {key: value if isinstance(value, str) else float(value)
                        for key, value in wanted if value} == found, code  # fmt: skip
    assert (asked, compared) > (100, 100)


@needs_engine
def test_a_list_of_values_filters_and_adds_nothing_up_twice(delivered: Delivered, tmp_path: Path) -> None:
    """By the relationship that the data source declares: the tasks of a label, and what is spent on them."""
    with hyper.engine() as process:
        source = Asked(delivered[0] / "fact_task_snapshot.tdsx", tmp_path, process)
        (pair,) = [
            tuple(str(each.get("op")) for each in one.findall("expression/expression"))
            for one in source.root.iter("relationship")
            if "bridge_task_value" in ET.tostring(one, encoding="unicode")
        ]
        names = source.names
        there = names[pair[1]].rpartition(".")[0]
        with hyper.opened(process, source.extract, new=False) as connection:
            found = {
                label: [tuple(row) for row in connection.execute_list_query(
                    f"SELECT {names['[dim_project.code]']}, "
                    f"sum({names['[fact_task_snapshot.estimate_days]']}) FROM {source.source} "
                    f"AND {names[pair[0]]} IN (SELECT {names[pair[1]]} FROM {there} "
                    f"WHERE {names['[bridge_task_value.field]']} = 'label' "
                    f"AND {names['[bridge_task_value.value]']} = '{label}') GROUP BY 1 ORDER BY 1"
                )]
                for label in ("red", "blue", "green")
            }  # fmt: skip

    assert ("[dim_task.task_key]", "[bridge_task_value.task_key]") == pair
    assert {"red": [("P1", 10.0)], "blue": [("P1", 10.0), ("P2", 10.0)], "green": []} == found


@needs_engine
def test_figures_of_a_kpi_are_fact_kpi(delivered: Delivered, tmp_path: Path) -> None:
    """Row by row, for one whose figures are known by hand: each milestone slips by ten days a number."""
    folder, view = delivered
    projects = dict(view.connection.execute("SELECT code, project_key FROM dim_project").fetchall())
    with hyper.engine() as process:
        source = Asked(folder / "fact_kpi.tdsx", tmp_path, process)
        slips = source.by_project("[MILESTONE_SLIP slip_days]", "fact_kpi")
        budget = source.by_project("[LANDING budget]", "fact_kpi")

    assert {projects[f"P{i}"]: 10.0 * i for i in (1, 2, 3)} == slips
    assert {projects[f"P{i}"]: 12_000.0 * i for i in (1, 2, 3)} == budget


@needs_engine
def test_the_workbook_shows_fact_kpi(delivered: Delivered, tmp_path: Path) -> None:
    """Every figure in its extract, of projects and the portfolio, is one of the feed's and the other way."""
    folder, view = delivered
    with hyper.engine() as process:
        source = Asked(folder / "committee.twbx", tmp_path, process)

        def read(*names: str) -> list[list[Any]]:
            columns = ", ".join(source.names[f"[{name}]"] for name in names)
            table = source.names[f"[{names[0]}]"].rpartition(".")[0]
            with hyper.opened(process, source.extract, new=False) as connection:
                return connection.execute_list_query(f"SELECT {columns} FROM {table}")  # type: ignore[no-any-return]

        rows = read("figures.project_key", "figures.figure", "figures.value")
        found = {(key, name): value for key, name, value in rows}
        totals = dict(read("totals.figure", "totals.value"))
    last = "FROM fact_kpi JOIN dim_cut c USING (cut_key) WHERE c.is_latest = 1 AND is_last_period = 1 AND"
    wanted = view.connection.execute(
        f"SELECT project_key, kpi || '.' || measure, value {last} scope_kind = 'project' AND project_key > 0"
    ).fetchall()
    whole = view.connection.execute(
        f"SELECT kpi || '.' || measure, value {last} scope_kind = 'portfolio' AND scope_label = '*'"
    ).fetchall()

    assert {(key, name): value for key, name, value in wanted} == found
    assert dict(whole) == totals
    assert len(found) > 50


# ---------- the workbook ----------


@pytest.mark.long
def test_a_missing_text_is_a_dash(empty: FeedView) -> None:
    """Tableau writes "Null" where a text is missing; a project of which nothing is known has many."""
    (project,) = tables_of(tell(empty))["projects"]

    assert "A Alpha" in project
    assert {"–"} == {value for value in project if value in {None, "–"}}


@needs_engine
def test_a_sheet_names_only_what_its_source_has(delivered: Delivered) -> None:
    """Fields on shelves, in marks, filters and orders; each is declared beside them as what it is."""
    root = described(delivered[0] / "committee.twbx")
    sources = {one.get("name"): one for one in root.findall("datasources/datasource")}
    for sheet in root.iter("worksheet"):
        needs = sheet.find(".//datasource-dependencies")
        assert needs is not None
        source = sources[needs.get("datasource")]
        fields = {one.get("name"): one for one in source.findall("column")}
        instances = {one.get("name") for one in needs.findall("column-instance")}
        said = ET.tostring(sheet.find("table"), encoding="unicode")  # type: ignore[arg-type]
        used = set(re.findall(rf"\[{re.escape(str(source.get('name')))}\]\.(\[[^\]]+\])", said))

        assert set() < used <= instances, sheet.get("name")
        for one in needs.findall("column"):
            assert ET.tostring(fields[one.get("name")]).strip() == ET.tostring(one).strip()


@needs_engine
def test_four_dashboards_show_every_sheet(delivered: Delivered) -> None:
    """Each sheet that has rows stands on one of them and opens with it; nothing overlaps or is outside."""
    folder, view = delivered
    root = described(folder / "committee.twbx")
    sheets = [one.get("name") for one in root.iter("worksheet")]
    shown = [zone.get("name") for zone in root.iter("zone") if zone.get("name")]
    opened = [one.get("name") for one in root.iter("viewpoint")]
    dashboards = root.findall("dashboards/dashboard")

    assert 4 == len(dashboards) == len(DASHBOARDS)
    assert sorted(sheets) == sorted(shown) == sorted(opened)
    filled = {name for name, rows in tables_of(tell(view)).items() if rows}
    assert len([one for one in SHEETS.values() if one.table in filled]) == len(sheets) > 8
    for one in dashboards:
        boxes = [
            tuple(int(str(zone.get(side))) for side in "xywh") for zone in one.findall("zones/zone/zone")
        ]
        for at, (x, y, w, h) in enumerate(boxes):
            assert x + w <= 100_000 >= y + h
            for left, top, wide, high in boxes[at + 1 :]:
                assert x + w <= left or left + wide <= x or y + h <= top or top + high <= y


@needs_engine
def test_the_synthesis_is_the_storys(delivered: Delivered) -> None:
    """Its sentences stand on the first dashboard, each with a sign beside its colour."""
    folder, view = delivered
    story: Story = tell(view)
    said = "".join(described(folder / "committee.twbx").find("dashboards/dashboard").itertext())  # type: ignore[union-attr]

    assert story.synthesis
    assert [] == [line.text for line in story.synthesis if line.text not in said]


@needs_engine
def test_who_cannot_see_a_sheet_is_told_it(delivered: Delivered) -> None:
    """Every sheet has a text in the place of its picture."""
    root = described(delivered[0] / "committee.twbx")
    told = ["".join(one.itertext()).strip() for one in root.iter("alt-text")]

    assert len(told) == len(root.findall("worksheets/worksheet"))
    assert all(told)


# ---------- the files ----------


@needs_engine
def test_packages_are_ours_alone_and_name_nothing_outside(delivered: Delivered) -> None:
    """Nobody else may read them; no member leaves the folder that it is unpacked into."""
    packages = [*delivered[0].glob("*.tdsx"), *delivered[0].glob("*.twbx")]

    assert len(FACTS) + 1 == len(packages)
    for path in packages:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
        assert 0o600 == path.stat().st_mode & 0o777
        assert not [name for name in names if name.startswith("/") or ".." in name or "\\" in name]


def test_the_same_content_is_the_same_package(tmp_path: Path) -> None:
    """Whenever it was written, and whatever its extract was last touched."""
    extract = tmp_path / "x.hyper"
    extract.write_bytes(bytes(range(256)) * 9000)
    first, second = tmp_path / "a.tdsx", tmp_path / "b.tdsx"
    pack(first, {"x.tds": b"<datasource/>"}, {"Data/Extracts/x.hyper": extract})
    extract.touch()
    pack(second, {"x.tds": b"<datasource/>"}, {"Data/Extracts/x.hyper": extract})

    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(second) as archive:
        assert extract.read_bytes() == archive.read("Data/Extracts/x.hyper")


def test_what_is_described_is_alike_for_what_is_alike(empty: FeedView) -> None:
    story = tell(empty)

    assert written(workbook(story, SHEETS)) == written(workbook(story, SHEETS))
