"""The committee's workbook: the story's figures, read back by another program, and what it is on paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hub_files.workbook import write_data, write_workbook
from hub_files.workbook.looks import ON_SOLID, ON_TINT, SOLID, TEXT, TINT

from hub import FeedView
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
SHEETS = {
    "en": ["Summary", "Portfolio", "What moved", "Milestones", "Budget", "Risks", "Decisions", "Load",
           "Quality", "Charts", "Read me"],
    "fr": ["Synthèse", "Portefeuille", "Ce qui a bougé", "Jalons", "Budget", "Risques", "Décisions", "Charge",
           "Qualité", "Graphiques", "Lisez-moi"],
}  # fmt: skip


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
        Container(id=box, kind="plan", code=f"P{n:03}", name=f"P{n}", seconds_per_day=DAY),
        Task(id=f"plans:t{n}", container_id=box, title="Build", estimate_s=10 * DAY, remaining_s=5 * DAY,
             percent=50.0, planned_start_on=ago(60), planned_finish_on=ahead(30 + n % 90)),
        Baseline(id=f"plans:b{n}", task_id=f"plans:t{n}", start_on=ago(60), finish_on=ago(1),
                 effort_s=8 * DAY),
        Task(id=f"plans:m{n}", container_id=box, title=f"Go live {n}", kind="milestone",
             url=f"https://tool.example/items/{n}", planned_finish_on=ahead(10 + slip)),
        Baseline(id=f"plans:n{n}", task_id=f"plans:m{n}", start_on=ahead(10), finish_on=ahead(10)),
    ]  # fmt: skip


def portfolio(store: Store, n: int, name: str = "Project of the portfolio") -> None:
    """Fill *store* with *n* projects that have a plan, hours, money, a weather, risks and decisions."""
    numbers = range(1, n + 1)
    sync(
        store,
        Target(id="config:t", kpi="MILESTONE_SLIP", measure="slip_days", goal=0.0, amber=5.0, red=20.0,
               direction="down"),
        Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=50000),
        *(Project(id=f"config:{i}", code=f"P{i:03}", name=f"{name} {i}") for i in numbers),
    )  # fmt: skip
    sync(store, *(record for i in numbers for record in plan(i, 0)))
    sync(
        store,
        *(Assessment(id=f"said:{i}", project_code=f"P{i:03}", day=ago(1), axis="overall",
                     rag=("green", "amber", "red")[i % 3], commentary="The supplier is late; a plan is made.")
          for i in numbers),
    )  # fmt: skip
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    sync(store, *(record for i in numbers for record in plan(i, i % 30)))
    sync(
        store,
        Account(id="times:u", display_name="Nadia Roy"),
        *(Container(id=f"times:{i}", kind="table", code=f"P{i:03}", name=f"P{i}") for i in numbers),
        *(Worklog(id=f"times:w{i}", container_id=f"times:{i}", account_id="times:u", day=ago(40),
                  seconds=6 * DAY) for i in numbers),
    )  # fmt: skip
    sync(
        store,
        *(BudgetLine(id=f"erp:{kind}{i}", project_code=f"P{i:03}", month=ago(40)[:7], kind=kind,
                     category="services", amount_minor=amount)
          for i in numbers for kind, amount in (("baseline", 1_200_000), ("consumed", 700_000))),
    )  # fmt: skip
    sync(
        store,
        *(RegisterItem(id=f"reg:r{i}", project_code=f"P{i:03}", kind="risk", title=f"Supplier {i}",
                       probability=0.5, impact=4, exposure_minor=1_000_000, opened_on=ago(90))
          for i in numbers),
        *(RegisterItem(id=f"reg:a{i}", project_code=f"P{i:03}", kind="action", title=f"Ask {i}",
                       due_on=ago(3)) for i in numbers),
        *(RegisterItem(id=f"reg:d{i}", project_code=f"P{i:03}", kind="decision", title=f"Choose {i}",
                       asked_of="COPIL", opened_on=ago(20), due_on=ahead(3)) for i in numbers),
    )  # fmt: skip


@contextmanager
def shown(store: Store, base: Path, lang: Any) -> Iterator[FeedView]:
    report = publish(
        store, base / "feed", [], PublishOptions(base=base, build=BuildOptions(lang=lang), force="a test")
    )
    with view_of(Path(report.folder), lang=lang) as view:
        yield view


Read = tuple[Any, Path, FeedView]


@pytest.fixture(scope="module", params=["en", "fr"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Give the workbook of a portfolio of 24 projects as openpyxl reads it, its path, and its feed."""
    base = tmp_path_factory.mktemp("book")
    with store_at(base / "hub.db") as store:
        portfolio(store, 24)
        with shown(store, base, request.param) as view:
            path = base / "portfolio.xlsx"
            write_workbook(path, view)
            yield openpyxl.load_workbook(path), path, view


def table_of(sheet: Any, name: str) -> list[dict[str, Any]]:
    """Return the rows of the native table *name* by its headers."""
    cells = [[cell.value for cell in row] for row in sheet[sheet.tables[name].ref]]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def told(view: FeedView) -> dict[tuple[str, str], float | None]:
    """Return the figures of now by the code of their project ('*': the portfolio) and their name."""
    rows = view.connection.execute(
        "SELECT CASE WHEN scope_kind = 'project' THEN p.code ELSE '*' END, kpi || '.' || measure, value "
        "FROM fact_kpi f JOIN dim_project p USING (project_key) JOIN dim_cut c USING (cut_key) "
        "WHERE c.is_latest = 1 AND is_last_period = 1 AND scope_kind = 'project'"
        "UNION ALL SELECT '*', kpi || '.' || measure, value FROM fact_kpi JOIN dim_cut c USING (cut_key) "
        "WHERE c.is_latest = 1 AND is_last_period = 1 AND scope_kind = 'portfolio' AND scope_label = '*'"
    ).fetchall()
    return {(code, name): value for code, name, value in rows}


PORTFOLIO = {
    "RAF.avancement": ("Prog.", "Avanc."), "EVM_DAYS.cpi": ("CPI", "CPI"), "EVM_DAYS.spi": ("SPI", "SPI"),
    "RAF.consomme": ("Spent (days)", "Cons. (JH)"), "LANDING.budget": ("Budget (€)", "Budget (€)"),
    "LANDING.landing": ("Landing (€)", "Atterr. (€)"), "LANDING.variance": ("Variance (€)", "Écart (€)"),
    "MILESTONE_SLIP.slip_days": ("Slip (days)", "Gliss. (j)"),
}  # fmt: skip
BUDGET = {
    "LANDING.budget": ("Budget (€)", "Budget (€)"), "LANDING.committed": ("Committed (€)", "Engagé (€)"),
    "LANDING.consumed": ("Consumed (€)", "Consommé (€)"),
    "LANDING.left_to_spend": ("Left to spend (€)", "Reste à dépenser (€)"),
    "LANDING.variance": ("Variance (€)", "Écart (€)"), "RAF.budget": ("Baseline (days)", "Référence (JH)"),
    "RAF.consomme": ("Spent (days)", "Consommé (JH)"), "RAF.raf": ("To do (days)", "Reste à faire (JH)"),
    "RAF.a_terminaison": ("At completion (days)", "À terminaison (JH)"),
    "RAF.derive": ("Variance (days)", "Écart (JH)"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("place", "name", "figures"), [(1, "Portfolio", PORTFOLIO), (4, "Budget", BUDGET)])
def test_each_figure_of_a_project_is_that_of_fact_kpi(
    read: Read, place: int, name: str, figures: dict[str, tuple[str, str]]
) -> None:
    """Number by number, as numbers; where the feed has none the cell is empty."""
    book, _, view = read
    wanted, french = told(view), int(view.lang == "fr")
    rows = table_of(book.worksheets[place], name)

    assert 24 == len(rows)
    for row in rows:
        for figure, captions in figures.items():
            value = wanted.get((row["Code"], figure))
            assert (None if value is None else pytest.approx(value)) == row[captions[french]], (row, figure)
    assert any(row[figures["RAF.consomme"][french]] for row in rows)


def test_the_key_figures_are_those_of_the_whole_portfolio(read: Read) -> None:
    """24 plans of 5 days left, 6 days spent on each, and a budget of 12,000 each: 120, 144 and 288,000."""
    book, _, view = read
    values = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]

    assert {120, 144, 288_000} <= set(values)
    assert told(view)["*", "RAF.raf"] == 120


def test_sheets_and_words_are_of_the_readers_language(read: Read) -> None:
    """No English is left in French: the headers of the two have no word in common but abbreviations."""
    book, _, view = read
    other = "fr" if view.lang == "en" else "en"
    texts = {
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    }
    foreign = {"en": {"Jalon", "rouge", "Statut", "▲ orange", "Risque", "planifié"},
               "fr": {"Milestone", "red", "State", "▲ amber", "Risk", "planned", "Done", "To come", "Action ",
                      "high", "medium", "budget line"}}[view.lang]  # fmt: skip

    assert SHEETS[view.lang] == book.sheetnames
    assert set() == texts & foreign
    assert set(SHEETS[view.lang]) != set(SHEETS[other])


def test_days_are_days_and_links_open_the_tools_own_items(read: Read) -> None:
    """A date is a date of Excel; the milestone leads to its tool."""
    book, _, _ = read
    sheet = book.worksheets[3]
    first = sheet[sheet.tables["Milestones"].ref][1]
    number = first[1].value.rpartition(" ")[2]

    assert isinstance(first[2].value, datetime)
    assert f"https://tool.example/items/{number}" == first[1].hyperlink.target
    assert first[4].value == int(number) % 30


def test_the_reason_of_a_projects_colour_is_printed(read: Read) -> None:
    """The last column but the site's own is on paper too: one too wide would be left to the screen."""
    book, _, _ = read
    sheet = book[book.sheetnames[1]]
    printed = [
        cell.value for row in sheet[sheet.print_area.rpartition("!")[2].replace("$", "")] for cell in row
    ]

    assert {"Mot du chef de projet, raison", "Manager's word, reason"} & {*printed}


def test_every_sheet_is_a_page_of_paper(read: Read) -> None:
    """A4, landscape, fitted to the width at eight points or more, headers repeated, pages numbered."""
    book, _, _ = read
    for sheet in book:
        setup, name = sheet.page_setup, sheet.title
        area = sheet[sheet.print_area.rpartition("!")[2].replace("$", "")][0]
        by_column = {
            column: group.width
            for group in sheet.column_dimensions.values()
            for column in range(group.min, group.max + 1)
        }
        widths = [by_column[cell.column] for cell in area]
        points = sum(int(width * 7 + 0.5) for width in widths) * 0.75
        paper = (11.69 - 0.5) * 72

        assert ("9", "landscape", True, 1) == (
            str(setup.paperSize), setup.orientation, sheet.sheet_properties.pageSetUpPr.fitToPage,
            setup.fitToWidth or 1,
        ), name  # fmt: skip
        assert 10 * min(1.0, paper / points) >= 8, name
        assert "&P" in sheet.oddFooter.right.text, name
        assert not sheet.tables or sheet.print_title_rows, name


def test_a_chart_beside_a_table_is_printed_whole(read: Read) -> None:
    """The roadmap ends above the last row on paper, with a bar of 15 points or more for each name."""
    book, _, _ = read
    sheet = book.worksheets[3]
    (drawn,) = sheet._charts
    last = int(sheet.print_area.rpartition("$")[2])
    names = drawn.series[0].cat.strRef.f
    first, end = (int(one) for one in re.findall(r"\$(\d+)", names))
    begin, until = drawn.anchor._from, drawn.anchor.to
    tall = sum(
        sheet.row_dimensions[row + 1].height or sheet.sheet_format.defaultRowHeight
        for row in range(begin.row, until.row)
    )

    assert until.row < last
    assert tall / (end - first + 1) >= 15


def test_a_chart_says_what_it_shows(read: Read) -> None:
    """Each has words for who cannot see it, and the figures it stands on."""
    _, path, view = read
    import zipfile

    with zipfile.ZipFile(path) as archive:
        drawings = [archive.read(name).decode() for name in archive.namelist() if "drawings/drawing" in name]
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
    described = [text for one in drawings for text in re.findall(r'<xdr:cNvPr [^>]*descr="([^"]+)"', one)]

    assert len(charts) == len(described) >= 4
    assert all(len(text) > 15 for text in described)
    assert any(
        ("reference" if view.lang == "en" else "référence") in text or "." in text for text in described
    )


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("rag", SOLID)
def test_text_on_a_colour_can_be_read(rag: str) -> None:
    """4.5 to 1 or more, the AA of WCAG 2.2 for text of any size."""
    for ground, ink in ((SOLID[rag], ON_SOLID[rag]), (TINT[rag], ON_TINT[rag]), (TINT[rag], TEXT)):
        dark, light = sorted((_luminance(ground), _luminance(ink)))

        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, ink)


def test_a_colour_never_stands_alone(read: Read) -> None:
    """Each weather bears a symbol and its word."""
    book, _, view = read
    french = view.lang == "fr"
    rows = table_of(book.worksheets[1], "Portfolio")
    words = {"■ rouge", "▲ orange", "● vert"} if french else {"■ red", "▲ amber", "● green"}

    assert words == {row["Déclarée" if french else "Declared"] for row in rows}


def pages(path: Path) -> int:
    """Return how many pages LibreOffice prints of *path*."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not here: only it can say how many pages a print has")
    home = path.parent / "office"
    subprocess.run(
        [office, f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", "pdf", "--outdir",
         str(path.parent), str(path)], check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return len(re.findall(rb"/Type\s*/Page\b", path.with_suffix(".pdf").read_bytes()))


@pytest.mark.long
def test_a_committee_of_24_projects_prints_on_twelve_pages(read: Read) -> None:
    """The whole workbook, as LibreOffice prints it."""
    assert pages(read[1]) <= 12


@pytest.mark.long
@pytest.mark.parametrize("n", [3, 200])
def test_few_and_many_projects(tmp_path: Path, n: int, proof: bool) -> None:
    """Each project has its line, also under a name that does not fit one; the moves stand once each."""
    if n == 200 and not proof:
        n = 60
    name = "Replacement of the systems of the agencies, of their network and of all that hangs on it"
    with store_at(tmp_path / "hub.db") as store:
        portfolio(store, n, name)
        with shown(store, tmp_path, "en") as view:
            write_workbook(tmp_path / "portfolio.xlsx", view)
            moved = view.connection.execute(
                "SELECT count(*) FROM fact_move WHERE cut_key = 0 AND cause = 'news'"
            ).fetchone()
            slipped = sum(1 for i in range(1, n + 1) if i % 30)
    book = openpyxl.load_workbook(tmp_path / "portfolio.xlsx")
    told = table_of(book["What moved"], "News")

    assert (
        n == len(table_of(book["Portfolio"], "Portfolio")) == len(table_of(book["Milestones"], "Milestones"))
    )
    assert 2 * n == len(table_of(book["Risks"], "Risks"))
    assert moved == (len(told),)
    assert slipped == sum(1 for row in told if row["Subject"] == "milestone")
    assert {"milestone", "risk"} <= {row["Subject"] for row in told[:30]}


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_portfolio_without_its_inputs_says_so(tmp_path: Path, lang: str) -> None:
    """No budget, risk, baseline, decision or cut: a sentence, no empty table, and every sheet is there."""
    with store_at(tmp_path / "hub.db") as store:
        sync(store, Project(id="config:1", code="P001", name="Alone"))
        sync(store, Container(id="plans:1", kind="plan", code="P001", name="P", seconds_per_day=DAY),
             Task(id="plans:t", container_id="plans:1", title="Start", kind="milestone",
                  planned_finish_on=ahead(9)))  # fmt: skip
        with shown(store, tmp_path, lang) as view:
            write_workbook(tmp_path / "portfolio.xlsx", view)
    book = openpyxl.load_workbook(tmp_path / "portfolio.xlsx")
    said = {
        sheet.title: " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
        for sheet in book
    }
    wanted = {
        "en": ("There is no cut to compare with yet", "No milestone has a baseline",
               "No project has a budget",
               "No open risk is known", "No decision is asked", "No load of teams", "no figures to show"),
        "fr": ("Aucun arrêté avec lequel comparer", "Aucun jalon n'a de référence",
               "Aucun projet n'a de budget",
               "Aucun risque ouvert", "Aucune décision n'est demandée", "Aucun taux de charge",
               "pas de chiffres à montrer"),
    }[lang]  # fmt: skip
    places = [2, 3, 4, 5, 6, 7, 9]

    assert SHEETS[lang] == book.sheetnames
    assert [] == [text for text, at in zip(wanted, places, strict=True) if text not in said[SHEETS[lang][at]]]
    assert ["Milestones"] == list(book.worksheets[3].tables)
    rows = [re.findall(r"\d+", table.ref) for sheet in book for table in sheet.tables.values()]
    assert [] == [place for place in rows if place[0] == place[1]]


@pytest.mark.long
def test_a_feed_without_anything_is_a_workbook(tmp_path: Path) -> None:
    """Every sheet says that there is nothing yet."""
    with store_at(tmp_path / "hub.db") as store, shown(store, tmp_path, "en") as view:
        write_workbook(tmp_path / "portfolio.xlsx", view)
        write_data(tmp_path / "data.xlsx", view)
    book = openpyxl.load_workbook(tmp_path / "portfolio.xlsx")

    assert SHEETS["en"] == book.sheetnames
    assert any("No project is known yet." == row[0].value for row in book["Portfolio"].iter_rows())


@pytest.mark.long
def test_only_addresses_of_the_web_are_links(tmp_path: Path) -> None:
    """What a tool calls an address may be anything: only http and https open, in both files."""
    urls = {1: "https://tool.example/1", 2: "javascript:alert(1)", 3: "file:///etc/passwd",
            4: "https://tool.example/" + "x" * 3000}  # fmt: skip
    with store_at(tmp_path / "hub.db") as store:
        sync(
            store,
            Container(id="plans:1", kind="plan", code="P001", name="P", seconds_per_day=DAY),
            *(Task(id=f"plans:{n}", container_id="plans:1", title=f"M{n}", kind="milestone", url=url,
                   planned_finish_on=ahead(n)) for n, url in urls.items()),
        )  # fmt: skip
        with shown(store, tmp_path, "en") as view:
            write_workbook(tmp_path / "portfolio.xlsx", view)
            write_data(tmp_path / "data.xlsx", view)
    links = {
        name: {
            cell.hyperlink.target
            for sheet in openpyxl.load_workbook(tmp_path / name)
            for row in sheet.iter_rows()
            for cell in row
            if cell.hyperlink and cell.hyperlink.target
        }
        for name in ("portfolio.xlsx", "data.xlsx")
    }

    assert {"portfolio.xlsx": {urls[1]}, "data.xlsx": {urls[1]}} == links
