"""The committee's papers: their figures are those of `fact_kpi`, a closed cut's are one file for ever."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_papers.content import Paper
from hub_papers.deck import write_deck
from hub_papers.destination import DeckDestination
from hub_papers.html import write_html
from hub_papers.pages import paper
from lxml import html as lxml_html
from pptx import Presentation

from hub import DeliveryContext, rows_of, tell
from hub.feed import BuildOptions, load_manifest, open_feed
from hub.publish import PublishOptions, PublishReport, cuts, publish
from hub.records import (
    Assessment,
    Baseline,
    BudgetLine,
    Container,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    Task,
    Worklog,
)
from hub.store import Store
from hub.testing import hub_folder, run_hub, store, view_of
from hub.testing.empty import store_at

__all__ = ["hub_folder", "run_hub", "store"]

TODAY = date.today()
DAY = 25200


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def fill(store: Store, records: list[Record]) -> None:
    for source in dict.fromkeys(one.id.partition(":")[0] for one in records):
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=10**9
        )
        run = store.begin_run(source, "full")
        store.write_batch(
            [one for one in records if one.id.startswith(f"{source}:")], run_id=run, source_id=source
        )
        store.end_run(run, "ok")


def project(code: str, name: str, *, spent: int, left: int, late: int) -> list[Record]:
    """Return one project: ten days of work, a milestone, a budget, a risk, a decision and a comment."""
    return [
        Project(id=f"config:{code}", code=code, name=name),
        Container(id=f"s:{code}", kind="plan", code=code, name=name, seconds_per_day=DAY),
        Rate(id="config:r", scope="default", valid_from="2000-01-01", minor_per_day=50_000),
        ProjectLink(id=f"config:{code}/s", project_code=code, container_id=f"s:{code}"),
        Task(id=f"s:{code}1", container_id=f"s:{code}", title="Build", status_native="in_progress",
             percent=50, planned_start_on=ago(60), planned_finish_on=ago(-30), estimate_s=10 * DAY,
             remaining_s=left * DAY),
        Task(id=f"s:{code}2", container_id=f"s:{code}", title="Go live", kind="milestone",
             status_native="todo", planned_finish_on=ago(-40 - late)),
        Baseline(id=f"s:{code}1/b", task_id=f"s:{code}1", effort_s=10 * DAY, start_on=ago(60),
                 finish_on=ago(-30)),
        Baseline(id=f"s:{code}2/b", task_id=f"s:{code}2", finish_on=ago(-40)),
        Worklog(id=f"s:{code}w", container_id=f"s:{code}", task_id=f"s:{code}1", day=ago(20),
                seconds=spent * DAY),
        BudgetLine(id=f"s:{code}b", project_code=code, month=ago(20)[:7], kind="baseline",
                   category="services", amount_minor=12_345_678),
        BudgetLine(id=f"s:{code}c", project_code=code, month=ago(20)[:7], kind="consumed",
                   category="services", amount_minor=4_000_000 + spent),
        BudgetLine(id=f"s:{code}f", project_code=code, month=ago(-60)[:7], kind="forecast",
                   category="services", amount_minor=9_000_000),
        RegisterItem(id=f"s:{code}r", project_code=code, kind="risk", title="Supplier is late",
                     probability=0.4, impact=4, exposure_minor=2_500_000, opened_on=ago(10), due_on=ago(-20)),
        RegisterItem(id=f"s:{code}d", project_code=code, kind="decision", title="Choose the date",
                     asked_of="COPIL", opened_on=ago(10), due_on=ago(-20)),
        Assessment(id=f"s:{code}a", project_code=code, day=ago(3), axis="overall", rag="green",
                   commentary="On the way."),
    ]  # fmt: skip


PORTFOLIO = [
    *project("P1", "Payroll", spent=9, left=6, late=25), *project("P2", "Portal", spent=4, left=5, late=0),
    *project("P3", "Archive", spent=7, left=2, late=3),
]  # fmt: skip
LATER = [*project("P1", "Payroll", spent=11, left=8, late=45), *PORTFOLIO[len(PORTFOLIO) // 3 :]]
CUT = "COPIL été 2026"


def out(store: Store, base: Path, *places: DeckDestination, lang: Any = "en") -> PublishReport:
    options = PublishOptions(base=base, build=BuildOptions(lang=lang), force="a test")
    return publish(store, base / "data" / "feed", list(places), options)


@functools.cache
def _built(base: Path) -> Path:
    with store_at(base / "hub.db") as store:
        fill(store, PORTFOLIO)
        cuts.take(store, kind="copil", label=CUT, actor="me")
        cuts.close(store, base / "data" / "feed", CUT, BuildOptions(), actor="me")
        fill(store, LATER)
        report = out(store, base, DeckDestination(name="deck", path="papers"))
        assert "published" == report.deliveries[0].state, report.deliveries[0].error
    return base


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a feed of three projects and a closed committee, and its papers."""
    return _built(tmp_path_factory.mktemp("papers"))


def team_week(base: Path) -> Path:
    return min((base / "data" / "feed" / "projections" / "team-week").iterdir())


def truth(folder: Path, cut: int = 0) -> dict[tuple[str, str], float]:
    """Return the figures of `fact_kpi` by project's code ("" for the portfolio) and measure."""
    feed = open_feed(folder)
    try:
        found = feed.execute(
            "SELECT CASE WHEN f.scope_kind = 'portfolio' THEN '' ELSE p.code END, f.kpi || '.' || f.measure, "
            "f.value FROM fact_kpi f LEFT JOIN dim_project p USING (project_key) WHERE f.cut_key = ? AND "
            "f.value IS NOT NULL AND (f.scope_kind = 'project' OR f.scope_kind = 'portfolio' AND "
            "f.scope_label = '*')",
            [cut],
        ).fetchall()
    finally:
        feed.close()
    return {(code, name): float(value) for code, name, value in found}


def read(text: str) -> tuple[float, float]:
    """Return the number in *text* as a person reads it, and half of its last digit."""
    bare = re.sub(r"[■▲●◆€\s\u202f\u00a0]|JH|jours|person-days|days", "", text)
    is_share = bare.endswith("%")
    bare = bare.rstrip("%")
    bare = bare.replace(",", ".") if re.fullmatch(r"[+-]?\d+,\d{1,2}", bare) else bare.replace(",", "")
    decimals = len(bare.partition(".")[2])
    scale = 100 if is_share else 1
    return float(bare) / scale, 0.5001 * 10**-decimals / scale


def figures_of_page(page: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield project's code ("" for the portfolio), measure and text of each figure of the HTML."""
    for section in lxml_html.fromstring(page.decode()).iter("section"):
        title = "".join(section.find("h2").itertext())
        for one in section.xpath(".//*[@data-figure]"):
            row = one.xpath("ancestor::tr/th")
            first = "".join(row[0].itertext()) if row else title.split()[0]
            code = next((text for text in (first, title.split()[0]) if re.fullmatch(r"P\d", text)), "")
            yield code, one.get("data-figure"), "".join(one.itertext())


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_figure_of_the_page_is_one_of_fact_kpi(built: Path, lang: Any) -> None:
    """What stands in the HTML is the value of `fact_kpi`, rounded as it is shown, and none is lacking."""
    known = truth(team_week(built))
    with view_of(team_week(built), lang=lang) as view:
        page = write_html(paper(tell(view)))
    seen = 0
    for code, name, text in figures_of_page(page):
        if text == "–":
            assert (code, name) not in known, (code, name)
            continue
        value, half = read(text)
        seen += 1

        assert abs(known[code, name] - value) <= half, (code, name, text)
    assert seen >= 60


def tables_of(slide: Any) -> Iterator[list[list[str]]]:
    for shape in slide.shapes:
        if shape.has_table:
            yield [[cell.text for cell in row.cells] for row in shape.table.rows]


@functools.cache
def deck_of(base: Path, lang: Any = "en") -> tuple[Any, Any]:
    """Return the story of the feed in *base* and its slides; tests read and change nothing."""
    with view_of(team_week(base), lang=lang) as view:
        story = tell(view)
    return story, slides(write_deck(paper(story)))


def slides(data: bytes) -> Any:
    return list(Presentation(io.BytesIO(data)).slides)


HEADS = {
    "en": {"Progress": "RAF.avancement", "CPI": "EVM_DAYS.cpi", "Slip": "MILESTONE_SLIP.slip_days",
           "Landing": "LANDING.landing", "Variance": "LANDING.variance", "Budget": "LANDING.budget"},
    "fr": {"Avancement": "RAF.avancement", "CPI": "EVM_DAYS.cpi", "Glissement": "MILESTONE_SLIP.slip_days",
           "Atterrissage": "LANDING.landing", "Écart": "LANDING.variance", "Budget": "LANDING.budget"},
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_figure_of_the_slides_is_one_of_fact_kpi(built: Path, lang: Any) -> None:
    """The tables of the slides, read back by another reader, hold the values of `fact_kpi`."""
    known = truth(team_week(built))
    story, deck = deck_of(built, lang)
    captions = {one.caption: name for one in story.projects for name, one in one.figures.items()}
    seen: set[tuple[str, str]] = set()
    for slide in deck:
        title = slide.shapes.title.text.split()[0]
        for head, *rows in tables_of(slide):
            for row in rows:
                if re.fullmatch(r"P\d", row[0]):
                    cells = [
                        (row[0], HEADS[lang].get(name), text) for name, text in zip(head, row, strict=True)
                    ]
                elif head[0] in {"Figure", "Indicateur"}:
                    of = title if re.fullmatch(r"P\d", title) else ""
                    cells = [(of, captions.get(row[0]), row[1])]
                else:
                    continue
                for code, name, text in cells:
                    if name is None or text == "–" or (head[1:2] == ["Milestone"] or head[1:2] == ["Jalon"]):
                        continue
                    value, half = read(text)
                    seen.add((code, name))

                    assert abs(known[code, name] - value) <= half, (code, name, text)
    assert {(code, name) for code in ("P1", "P2", "P3") for name in HEADS[lang].values()} <= seen
    assert {("", "RAF.consomme"), ("P1", "RAF.raf"), ("", "EVM_DAYS.cpi")} <= seen


def charts_of(deck: Any) -> dict[str, Any]:
    return {
        shape.chart.chart_title.text_frame.text: shape.chart
        for slide in deck for shape in slide.shapes if shape.has_chart
    }  # fmt: skip


def test_native_charts_hold_the_figures(built: Path) -> None:
    """The S-curve ends on EVM_DAYS, the waterfall stands on budget and landing, slips on MILESTONE_SLIP."""
    known = truth(team_week(built))
    _, deck = deck_of(built)
    charts = charts_of(deck)
    curve = next(one for title, one in charts.items() if title.startswith("S-curve"))
    lines = {one.name: [value for value in one.values if value is not None] for one in curve.plots[0].series}
    fall = next(one for title, one in charts.items() if "landing" in title)
    steps = {
        one.name: dict(zip(fall.plots[0].categories, one.values, strict=True)) for one in fall.plots[0].series
    }
    slips = next(one for title, one in charts.items() if "slip" in title)
    last = {one.name: one.values[-1] for one in slips.plots[0].series}

    assert known["", "EVM_DAYS.ev"] == pytest.approx(lines["Earned (EV)"][-1])
    assert known["", "EVM_DAYS.ac"] == pytest.approx(lines["Actual (AC)"][-1])
    assert sum(known[code, "LANDING.budget"] for code in ("P1", "P2", "P3")) == pytest.approx(
        steps["="]["Budget"]
    )
    assert sum(known[code, "LANDING.landing"] for code in ("P1", "P2", "P3")) == pytest.approx(
        steps["="]["Landing"]
    )
    assert {code: known[code, "MILESTONE_SLIP.slip_days"] for code in ("P1", "P2", "P3")} == last


def test_a_curve_goes_on_over_days_on_which_it_says_nothing(built: Path) -> None:
    """Blanks are spanned: a series of cuts has no value on the months of another."""
    _, deck = deck_of(built)
    blanks = {
        one.get("val") for chart in charts_of(deck).values() for one in chart._chartSpace.iter()
        if str(one.tag).endswith("}dispBlanksAs")
    }  # fmt: skip

    assert {"span"} == blanks - {"gap"}


@pytest.mark.long
def test_the_closed_cut_is_the_same_file_each_time(built: Path) -> None:
    """Told from the cut alone, by another run and from another feed: byte for byte, and not as of now."""
    kept = (built / "papers" / "copil-ete-2026" / "deck.pptx").read_bytes()
    with Store.open(f"sqlite:///{built / 'hub.db'}", base=built) as store:
        again = out(store, built, DeckDestination(name="other", path="others"))
    others = built / "others"

    assert 0 == again.exit_code, again.deliveries
    assert kept == (others / "copil-ete-2026" / "deck.pptx").read_bytes()
    assert (others / "copil-ete-2026" / "deck.html").read_bytes() == (
        built / "papers" / "copil-ete-2026" / "deck.html"
    ).read_bytes()
    assert kept != (others / "latest" / "deck.pptx").read_bytes()


def test_the_cut_shows_what_was_known_then(built: Path) -> None:
    """Days that were booked after the committee are not in what it saw."""
    page = (built / "papers" / "copil-ete-2026" / "deck.html").read_bytes()
    shown = {(code, name): text for code, name, text in figures_of_page(page)}

    assert 9 == read(shown["P1", "RAF.consomme"])[0]
    assert 11 == truth(team_week(built))["P1", "RAF.consomme"]


@pytest.mark.long
def test_what_was_handed_out_is_never_replaced(built: Path, tmp_path: Path) -> None:
    """The archive has the digest of each file; one that was altered is named, and left as it is."""
    place = DeckDestination(name="deck", path="papers", formats=("html",), project_pages=False)
    context = DeliveryContext(base=tmp_path, name="deck")
    with view_of(team_week(built)) as view:
        first = place.deliver(context, view)
        kept = tmp_path / "papers" / "copil-ete-2026"
        said = json.loads((kept / "manifest.json").read_text())
        before = (kept / "deck.html").stat().st_mtime_ns
        second = place.deliver(context, view)
        same = (kept / "deck.html").stat().st_mtime_ns
        (kept / "deck.html").write_text("something else")
        third = place.deliver(context, view)

    assert CUT == said["cut"]
    assert 64 == len(said["files"]["deck.html"])
    assert () == first.notes == second.notes
    assert before == same
    assert "deck.html" in third.notes[0]
    assert "something else" == (kept / "deck.html").read_text()
    assert {0o600} == {
        one.stat().st_mode & 0o777 for one in (tmp_path / "papers").rglob("*") if one.is_file()
    }


def says(found: Paper, sentence: str) -> bool:
    """Say whether slides and page both hold *sentence*."""
    texts = [
        shape.text_frame.text
        for slide in slides(write_deck(found)) for shape in slide.shapes if shape.has_text_frame
    ]  # fmt: skip
    page = write_html(found).decode().replace("&#39;", "'")
    return any(sentence in text for text in texts) and sentence in page


@pytest.mark.long
@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        ({"register": ()}, "No risk is open"), ({"decisions": ()}, "No decision is asked"),
        ({"curve": ()}, "No S-curve can be drawn"), ({"roadmap": ()}, "No roadmap can be drawn"),
        ({"slips": ()}, "No slip can be drawn"), ({"milestones": ()}, "No milestone is open"),
        ({"before": None, "moves": ()}, "There is no committee before this one"),
        ({"load": ()}, "No load can be shown"),
    ],
)  # fmt: skip
def test_an_empty_part_says_so(built: Path, lacks: dict[str, Any], sentence: str) -> None:
    """In one sentence, in slides and page alike; the figures that are known stay."""
    story = msgspec.structs.replace(deck_of(built)[0], **lacks)

    assert says(paper(story, project_pages=False), sentence)


@pytest.mark.long
@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([one for one in PORTFOLIO if not isinstance(one, BudgetLine)], "No landing is known"),
        ([], "No project is known yet"),
    ],
    ids=["budget", "everything"],
)
def test_a_portfolio_without_its_inputs_says_so(tmp_path: Path, records: list[Record], sentence: str) -> None:
    """A feed of tools that have no budget, and one of nothing at all."""
    with store_at(tmp_path / "hub.db") as store:
        fill(store, records)
        folder = Path(out(store, tmp_path).folder)
    with view_of(folder) as view:
        assert says(paper(tell(view), project_pages=False), sentence)


@pytest.mark.long
def test_hub_deck_writes_what_the_configuration_says(
    built: Path, run_hub: Any, hub_folder: Path, tmp_path: Path
) -> None:
    """`hub deck` draws the current feed; with a cut it is what was handed out; an unknown cut is named."""
    config = built / "config"
    config.mkdir(exist_ok=True)
    (config / "hub.toml").write_text(
        'store = "sqlite:///hub.db"\nfeed = "data/feed"\n'
        '[destinations.deck]\nkind = "deck"\npath = "papers"\n'
    )
    start = ("--config", str(config / "hub.toml"), "deck")
    now = run_hub(*start, "--out", str(tmp_path / "o"), "--format", "html", "--lang", "fr")
    again = run_hub(*start, "--cut", CUT)
    wrong = run_hub(*start, "--cut", "COPIL 9")

    assert 0 == now.exit_code, now.error
    assert '<html lang="fr">' in (tmp_path / "o" / "deck.html").read_text()
    assert ["deck.html"] == [one.name for one in (tmp_path / "o").iterdir()]
    assert 0 == again.exit_code, again.error
    assert "copil-ete-2026" in again.output
    assert 2 == wrong.exit_code
    assert CUT in wrong.error.replace("\n", " ")


def test_papers_that_differ_are_left_as_they_were(built: Path, run_hub: Any, hub_folder: Path) -> None:
    """`hub deck --cut` never writes over what was handed out; the answer says which file and what to do."""
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "sqlite:///{built}/hub.db"\nfeed = "{built}/data/feed"\n'
        '[destinations.deck]\nkind = "deck"\npath = "papers"\nformats = ["html"]\n'
    )
    first = run_hub("deck", "--cut", CUT)
    kept = hub_folder / "papers" / "copil-ete-2026" / "deck.html"
    kept.write_text("as it was")
    second = run_hub("deck", "--cut", CUT)

    assert 0 == first.exit_code, first.error
    assert 2 == second.exit_code
    assert "--out" in second.error
    assert "as it was" == kept.read_text()


def test_rows_of_the_matrix_are_counted_once(built: Path) -> None:
    """The risk matrix of the slides holds every placed risk, as many as the story counts."""
    story, deck = deck_of(built)
    matrix = next(
        rows for slide in deck for rows in tables_of(slide) if rows[0][1:2] == ["Impact 1"]
    )  # fmt: skip
    counted = sum(
        int(digits) for row in matrix[1:] for cell in row[1:] for digits in re.findall(r"\d+", cell)
    )

    assert 3 == counted == sum(row["n"] for row in rows_of("risks", story) if row["kind"] == "risk")


@pytest.mark.long
def test_a_format_that_is_added_later_has_its_digest(built: Path, run_hub: Any, hub_folder: Path) -> None:
    """One format after the other into the archive: the manifest vouches for both, and both are whole."""
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "sqlite:///{built}/hub.db"\nfeed = "{built}/data/feed"\n'
    )
    first = run_hub("deck", "--cut", CUT, "--format", "html")
    second = run_hub("deck", "--cut", CUT, "--format", "pptx")
    folder = hub_folder / "papers" / "copil-ete-2026"
    said = json.loads((folder / "manifest.json").read_text())["files"]

    assert (0, 0) == (first.exit_code, second.exit_code), first.error + second.error
    assert {"deck.html", "deck.pptx"} == said.keys()
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in said} == said


@pytest.mark.long
def test_papers_of_an_open_cut_go_elsewhere(tmp_path: Path, run_hub: Any, hub_folder: Path) -> None:
    """What may still change is not put where what was handed out is kept; with --out it can be looked at."""
    with store_at(tmp_path / "open.db") as store:
        fill(store, PORTFOLIO)
        cuts.take(store, kind="copil", label="COPIL 1", actor="me")
        report = out(store, tmp_path, DeckDestination(name="deck", path="papers", formats=("html",)))
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "sqlite:///{tmp_path}/open.db"\nfeed = "{tmp_path}/data/feed"\n'
    )
    refused = run_hub("deck", "--cut", "COPIL 1", "--format", "html")
    written = run_hub("deck", "--cut", "COPIL 1", "--format", "html", "--out", "look")

    assert [] == load_manifest(Path(report.folder))["closed_cuts"]
    assert ["latest"] == [one.name for one in (tmp_path / "papers").iterdir()]
    assert 2 == refused.exit_code
    assert "hub cut close" in refused.error
    assert 0 == written.exit_code, written.error
    assert (hub_folder / "look" / "deck.html").is_file()
