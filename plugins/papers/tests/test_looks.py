"""How papers look: nothing off the page or too small, readable without sight or colour, any template."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_papers.deck import write_deck
from hub_papers.destination import DeckDestination
from hub_papers.fitting import fitted, width_of, wrapped
from hub_papers.html import write_html
from hub_papers.look import contrast
from hub_papers.pages import paper
from hub_papers.pdf import write_pdf
from lxml import html as lxml_html
from pptx import Presentation
from pptx.util import Emu, Inches, Pt

from hub import ConfigError, DeliveryContext, MissingExtra
from hub.feed.story import (
    Figure,
    Line,
    Load,
    Milestone,
    Move,
    Point,
    Project,
    RegisterEntry,
    Sla,
    Span,
    Story,
)

DAY = date(2026, 10, 30)
LONG = (
    "Modernisation du système d'information de la maintenance et refonte complète des échanges inter-sites "
)
RAGS: tuple[Any, ...] = ("red", "amber", "green", None)
UNITS = {
    "RAF.avancement": "share", "RAF.consomme": "days", "RAF.raf": "days", "RAF.a_terminaison": "days",
    "EVM_DAYS.cpi": "ratio", "EVM_DAYS.spi": "ratio", "LANDING.budget": "amount", "LANDING.landing": "amount",
    "LANDING.variance": "amount", "MILESTONE_SLIP.slip_days": "duration", "DQ_SCORE.score": "score",
    "RISK.open_risks": "count", "RISK.expected_exposure": "amount",
}  # fmt: skip


def figures(scale: float) -> dict[str, Figure]:
    return {
        name: Figure(
            kpi=name.partition(".")[0], measure=name.partition(".")[2], unit=unit, rag="red",
            caption=f"{LONG[:40]}{name}",
            value=-1_234_567.89 * scale if unit == "amount" else 0.876 if unit == "share" else 1234.5 * scale,
        )
        for name, unit in UNITS.items()
    }  # fmt: skip


@functools.cache
def many(projects: int, lang: Any = "fr", *, full: bool = True) -> Story:
    """Return a story of *projects* with long names and large figures; not *full* has names alone."""
    keys = range(1, projects + 1)
    names = [
        Project(
            key=key, code=f"SI-{key:04d}", name=LONG * 2, program=LONG, portfolio=LONG, phase="Réalisation",
            state="active", declared=RAGS[key % 3], computed=RAGS[key % 4], trend="worse",
            is_contradicted=key % 5 == 0, reason=LONG * 3, commentary=LONG * 12, confidence="low",
            confidence_reason=LONG, figures=figures(9),
        )
        if full else
        Project(
            key=key, code=f"P{key}", name="Alpha", program=None, portfolio=None, phase=None, state=None,
            declared=None, computed=None, trend=None, is_contradicted=False, reason=None, commentary=None,
            confidence=None, confidence_reason=None,
        )
        for key in keys
    ]  # fmt: skip
    base = Story(
        lang=lang, feed_id="f", currency="EUR", privacy="team-week", label=LONG, as_of=DAY, is_now=False,
        before=LONG if full else None, next_committee=DAY, is_next_known=True, complete=True, missing=(),
        projects=tuple(names),
    )  # fmt: skip
    if not full:
        return base
    days = [DAY + timedelta(days=30 * n) for n in range(-6, 7)]
    return Story(
        **{name: getattr(base, name) for name in base.__struct_fields__}
        | {
            "synthesis": tuple(Line(topic=topic, text=LONG * 3, rag=rag) for topic, rag in zip(
                ("weather", "trend", "milestones", "money", "effort", "risks", "decisions", "load"),
                RAGS * 2, strict=True)),
            "totals": figures(200),
            "moves": tuple(
                Move(project_key=key, topic=topic, cause=cause, item=LONG, measure=measure, unit=unit,
                     before_value=1e7, after_value=2e7, before_date=DAY, after_date=DAY, delta=-1e7)
                for key in keys for cause in ("news", "correction")
                for topic, measure, unit in (("milestone", "finish", "date"), ("budget", "amount", "amount"),
                                             ("effort", "spent", "days"), ("risk", "risk opened", "amount"))
            ),
            "milestones": tuple(
                Milestone(project_key=key, title=LONG, baseline=DAY, finish=DAY, slip_days=1234, state=state)
                for key in keys for state in ("late", "open", "done")
            ),
            "register": tuple(
                RegisterEntry(project_key=key, kind="risk", title=LONG, asked_of=None, opened_date=DAY,
                              due_date=DAY, probability=key % 10 / 10, impact=key % 5 + 1, exposure=1e7,
                              expected=4e6, score=key % 7)
                for key in keys
            ),
            "decisions": tuple(
                RegisterEntry(project_key=key, kind="decision", title=LONG, asked_of=LONG, opened_date=DAY,
                              due_date=DAY, probability=None, impact=None, exposure=None, expected=None,
                              score=None)
                for key in keys
            ),
            "load": tuple(
                Load(team=f"{LONG[:50]}{team}", week_start=DAY + timedelta(weeks=week),
                     load=0.4 + team % 12 / 10, allocated_h=1, available_h=1)
                for team in range(min(40, projects * 4)) for week in range(12)
            ),
            "slips": tuple(
                Point(project_key=key, series="slip", date=day, value=10.0 * key + n, label=f"{LONG[:30]}{n}")
                for key in keys for n, day in enumerate(days[:5])
            ),
            "curve": tuple(
                Point(project_key=1, series=series, date=day, value=100.0 * n)
                for series in ("planned", "earned", "actual") for n, day in enumerate(days)
            ),
            "burn": tuple(
                Point(project_key=1, series=series, date=day, value=100.0 * n)
                for series in ("done", "scope") for n, day in enumerate(days)
            ),
            "sla": tuple(Sla(project=None, metric="resolution", month=day, compliance=0.9, met=9, measured=10)
                         for day in days),
            "roadmap": tuple(
                Span(project_key=key, start=days[0], finish=days[-1], baseline_start=days[0],
                     baseline_finish=days[-2])
                for key in keys
            ),
        }
    )  # fmt: skip


CASES = [
    (3, "fr", True), (60, "en", True), (24, "fr", True), (200, "en", True), (3, "en", False),
    (0, "fr", False),
]  # fmt: skip


@pytest.fixture
def in_proof(projects: int, proof: bool) -> None:
    """Leave 24 and 200 projects to the proof: 60 fill as many slides as they need in short tests."""
    if projects in {24, 200} and not proof:
        pytest.skip("make proof has 24 and 200 projects too")


@functools.cache
def deck_of(projects: int, lang: str, full: bool) -> bytes:
    return write_deck(paper(many(projects, lang, full=full), most_projects=5))


def shapes_of(deck: Any) -> Iterator[tuple[int, Any, Any]]:
    for number, slide in enumerate(deck.slides, 1):
        for shape in slide.shapes:
            yield number, slide, shape


def sizes_of(shape: Any) -> Iterator[float]:
    """Yield the sizes of text that a shape says, in points."""
    for one in shape._element.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}rPr"):
        if one.get("sz"):
            yield int(one.get("sz")) / 100


@pytest.mark.long
@pytest.mark.usefixtures("in_proof")
@pytest.mark.parametrize(("projects", "lang", "full"), CASES)
def test_nothing_leaves_the_slide_or_overlaps(projects: int, lang: str, full: bool) -> None:
    """Every shape lies on its slide, no table is taller than its place, and no two shapes overlap."""
    deck = Presentation(io.BytesIO(deck_of(projects, lang, full)))
    wide, high = deck.slide_width, deck.slide_height
    for number, slide in enumerate(deck.slides, 1):
        boxes = []
        for shape in slide.shapes:
            down = sum(row.height for row in shape.table.rows) if shape.has_table else shape.height
            across = sum(column.width for column in shape.table.columns) if shape.has_table else shape.width
            where = (number, shape.name, shape.left, shape.top, across, down)

            assert shape.left >= 0, where
            assert shape.top >= 0, where
            assert shape.left + across <= wide + Pt(1), where
            assert shape.top + down <= high, where
            boxes.append((shape.left, shape.top, shape.left + across, shape.top + down, where))
        for one, other in itertools.combinations(boxes, 2):
            apart = (
                one[2] <= other[0] + Pt(1) or other[2] <= one[0] + Pt(1)
                or one[3] <= other[1] + Pt(1) or other[3] <= one[1] + Pt(1)
            )  # fmt: skip

            assert apart, (one[4], other[4])


@pytest.mark.usefixtures("in_proof")
@pytest.mark.parametrize(("projects", "lang", "full"), CASES)
def test_text_is_large_enough_and_fits_its_cell(projects: int, lang: str, full: bool) -> None:
    """At least 10 points; the text of a cell is on one line, a figure is never cut."""
    for number, _, shape in shapes_of(Presentation(io.BytesIO(deck_of(projects, lang, full)))):
        assert all(size >= 10 for size in sizes_of(shape)), (number, shape.name)
        if not shape.has_table:
            continue
        for row in list(shape.table.rows)[1:]:
            for cell, column in zip(row.cells, shape.table.columns, strict=True):
                size = cell.text_frame.paragraphs[0].runs[0].font.size if cell.text else Pt(10)
                room = Emu(column.width).pt - 8

                assert width_of(cell.text, size.pt) <= room + 0.5, (number, shape.name, cell.text)
                if re.search(r"\d", cell.text) and "€" in cell.text:
                    assert "…" not in cell.text


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_slides_can_be_read_out(lang: str, proof: bool) -> None:
    """Each slide has a title of its own, tables a header row, all that is drawn an alternative text.

    What is read follows what is seen: from the top down, the left column before the right one.
    """
    projects = {"fr": 24, "en": 200} if proof else {"fr": 3, "en": 60}
    deck = Presentation(io.BytesIO(deck_of(projects[lang], lang, True)))
    titles = [slide.shapes.title.text for slide in deck.slides]
    for number, slide, shape in shapes_of(deck):
        properties = shape._element.xpath(".//p:cNvPr")[0]
        if shape.has_table or shape.has_chart or shape.shape_type == 13:
            assert len(properties.get("descr", "")) > 10, (number, shape.name)
        if shape.has_table:
            assert shape.table.first_row
        assert slide.shapes[0]._element is slide.shapes.title._element
        assert len({one.shape_id for one in slide.shapes}) == len(slide.shapes)
    for slide in list(deck.slides)[1:]:
        order = [one for one in slide.shapes if not one.is_placeholder]
        columns = [one.left > deck.slide_width * 0.3 for one in order if one.top > Pt(180)]

        assert columns == sorted(columns) or len({one.top for one in order}) < len(order)
    wanted = {"fr": "fr-FR", "en": "en-GB"}[lang]
    runs = [
        run.get("lang") for _, _, shape in shapes_of(deck)
        for run in shape._element.iter("{http://schemas.openxmlformats.org/drawingml/2006/main}rPr")
    ]  # fmt: skip

    assert len(titles) == len(set(titles))
    assert all(titles)
    assert {wanted} == set(runs)
    assert wanted == deck.core_properties.language
    assert deck.core_properties.title


def colours_of(cell: Any) -> tuple[str, list[str]]:
    ground = f"#{cell.fill.fore_color.rgb}"
    return ground, [
        f"#{run.font.color.rgb}" for paragraph in cell.text_frame.paragraphs for run in paragraph.runs
    ]


@pytest.mark.long
def test_contrast_is_aa_and_colour_is_never_alone() -> None:
    """Text on a coloured cell has 4.5 to 1 or more, and a symbol beside it says the colour."""
    grounds = set()
    for number, _, shape in shapes_of(Presentation(io.BytesIO(deck_of(24, "fr", True)))):
        if not shape.has_table:
            continue
        for row in shape.table.rows:
            for cell in row.cells:
                ground, inks = colours_of(cell)
                grounds.add(ground)

                assert all(contrast(ground, ink) >= 4.5 for ink in inks), (number, cell.text, ground, inks)
                if ground in {"#B3261E", "#E0A100", "#2E7D4F"}:
                    assert cell.text[:1] in "■▲●", (number, cell.text)

    assert {"#B3261E", "#E0A100", "#2E7D4F", "#FFFFFF"} <= grounds


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48), ("#1F3A5F", "#1F3A5F", 1.0)],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, ratio: float) -> None:
    """The figures are those that WCAG and its checkers give."""
    assert ratio == pytest.approx(contrast(one, other), abs=0.01)


def test_notes_say_what_figures_mean() -> None:
    """The notes of a slide hold the definitions of its figures and their source."""
    deck = Presentation(io.BytesIO(deck_of(3, "fr", True)))
    notes = {slide.shapes.title.text: slide.notes_slide.notes_text_frame.text for slide in deck.slides}

    assert "LANDING" in notes["Budget et atterrissage"]
    assert "EVM_DAYS" in notes["Portefeuille"]
    assert all("Source" in text for text in notes.values())


@pytest.mark.long
@pytest.mark.usefixtures("in_proof")
@pytest.mark.parametrize(("projects", "lang", "full"), CASES)
def test_the_page_stands_alone_and_is_well_formed(projects: int, lang: str, full: bool) -> None:
    """One file without any request; headings in order, headers of tables scoped, pictures told."""
    text = write_html(paper(many(projects, lang, full=full), most_projects=5)).decode()
    page = lxml_html.fromstring(text)
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4")]
    ids = [one.get("id") for one in page.xpath("//*[@id]")]
    links = [value for one in page.iter() for name, value in one.attrib.items() if name in {"src", "href"}]

    assert lang == page.get("lang")
    assert 1 == levels.count(1)
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert {"#main"} == {one for one in links if not one.startswith("#clip")}
    assert not re.search(r"url\((?!#)|@import|<script|<link", text)
    assert all(one.get("role") == "img" and len(one.get("aria-label")) > 10 for one in page.iter("svg"))
    assert all(one.get("scope") for one in page.iter("th"))
    assert all(one.find("caption") is not None for one in page.iter("table"))
    assert len(ids) == len(set(ids))


def test_names_are_text_and_not_markup() -> None:
    """A project called like a script is shown, not run, in the page and in its pictures."""
    story = many(3, "en", full=True)
    sly = '<script>alert("x")</script>'
    named = Story(
        **{name: getattr(story, name) for name in story.__struct_fields__}
        | {"projects": tuple(
            Project(**{name: getattr(one, name) for name in one.__struct_fields__} | {"name": sly})
            for one in story.projects
        )}
    )  # fmt: skip
    text = write_html(paper(named)).decode()

    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.long
def test_the_same_story_is_the_same_file() -> None:
    """No clock and no chance: slides, page and PDF are equal byte for byte, the workbooks inside too."""
    story = many(3)
    first, second = (write_deck(paper(story)) for _ in range(2))
    page = write_html(paper(story))
    with zipfile.ZipFile(io.BytesIO(first)) as book:
        stamps = {one.date_time[:3] for one in book.infolist()}
        inside = [name for name in book.namelist() if name.endswith(".xlsx")]

    assert first == second
    assert page == write_html(paper(story))
    assert {(2026, 10, 30)} == stamps
    assert inside


def inflated(pdf: bytes) -> bytes:
    """Return what the streams of a PDF hold."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompress(stream))
    return b"\n".join(found)


@pytest.mark.long
def test_the_pdf_is_tagged_and_the_same() -> None:
    """It has the page's text and its structure, once for each writing."""
    page = write_html(paper(many(3, full=False)))
    try:
        first = write_pdf(page, DAY)
    except MissingExtra:
        pytest.skip("Pango is not on this machine")

    assert first.startswith(b"%PDF")
    assert b"StructTreeRoot" in inflated(first)
    assert first == write_pdf(page, DAY)


# ---------- templates ----------


def company(tmp_path: Path, *, titles: tuple[str, str], wide: float = 10, high: float = 5.625) -> Path:
    """Return a company's template: its layouts are called *titles*, and it has a slide of its own."""
    made = Presentation()
    made.slide_width, made.slide_height = Inches(wide), Inches(high)
    for layout in list(made.slide_layouts):
        if layout.name not in {"Title Slide", "Title Only", "Blank"}:
            made.slide_layouts.remove(layout)
    for layout, name in zip(made.slide_layouts, (*titles, "Vide"), strict=True):
        layout.name = name
        layout._element.attrib.pop("type", None)
        for one in layout.placeholders:
            one.left, one.width = Inches(0.5), Inches(wide - 1)
            top = {0: 0.3, 1: 2}.get(one.placeholder_format.idx, high - 0.4)
            one.top, one.height = Inches(top), Inches(0.6 if top < 2 else 0.3)
    made.slides.add_slide(made.slide_layouts[0]).shapes.title.text = "An old slide"
    path = tmp_path / "modele.pptx"
    made.save(str(path))
    return path


@pytest.mark.long
@pytest.mark.parametrize(
    ("titles", "wide", "high"),
    [
        (("Diapositive de titre", "Titre seul"), 10, 5.625), (("Title Slide", "Title Only"), 13.333, 7.5),
        (("Garde", "Pages de fond"), 10, 7.5),
    ],
)  # fmt: skip
def test_a_company_template_is_used(
    tmp_path: Path, titles: tuple[str, str], wide: float, high: float
) -> None:
    """Its layouts are found by name in French and English, else by what they have; its own slides go.

    Whatever its size, nothing leaves the slide.
    """
    path = company(tmp_path, titles=titles, wide=wide, high=high)
    deck = Presentation(io.BytesIO(write_deck(paper(many(4), most_projects=1), path)))
    names = [slide.slide_layout.name for slide in deck.slides]

    assert (Inches(wide), Inches(high)) == (deck.slide_width, deck.slide_height)
    assert titles[1] in names[1:]
    assert titles[0] == names[0] or titles[0] == "Garde"
    assert "An old slide" not in [slide.shapes.title.text for slide in deck.slides]
    for number, _, shape in shapes_of(deck):
        down = sum(row.height for row in shape.table.rows) if shape.has_table else shape.height
        where = (number, shape.name)

        assert shape.top + down <= deck.slide_height, where
        assert shape.left + shape.width <= deck.slide_width + Pt(1), where


@pytest.mark.long
def test_a_potx_is_a_template_too(tmp_path: Path) -> None:
    """PowerPoint's own kind of template differs in one word of its content types."""
    plain = company(tmp_path, titles=("Title Slide", "Title Only"))
    path = tmp_path / "modele.potx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(
                name, content.replace(b"presentationml.presentation.main", b"presentationml.template.main")
            )

    assert Presentation(io.BytesIO(write_deck(paper(many(3)), path))).slides


@pytest.mark.parametrize(
    "content", [b"", b"not a file of PowerPoint", b"PK\x03\x04broken", None, "docx", "untitled"]
)
def test_a_template_that_is_none_is_refused(tmp_path: Path, content: Any) -> None:
    """In one sentence that names it; the check of the destination says the same before."""
    path = tmp_path / "modele.pptx"
    if content == "docx":
        with zipfile.ZipFile(path, "w") as book:
            book.writestr("[Content_Types].xml", "<Types/>")
    elif content == "untitled":
        made = Presentation()
        for layout in list(made.slide_layouts):
            if layout.name != "Blank":
                made.slide_layouts.remove(layout)
        made.save(str(path))
    elif content is not None:
        path.write_bytes(content)
    place = DeckDestination(name="deck", path="papers", template=str(path))
    checks = {one.name: one.state for one in place.check(DeliveryContext(base=tmp_path, name="deck"))}

    with pytest.raises(ConfigError, match=r"modele\.pptx"):
        write_deck(paper(many(3)), path)
    assert "failed" == checks["template"]


# ---------- fitting ----------


@pytest.mark.parametrize("width", [20, 60, 200])
def test_what_is_cut_ends_with_an_ellipsis(width: int) -> None:
    """A long name is cut to its place; one that fits stays as it is; lines break between words."""
    lines = wrapped(LONG, 10, width, 3)

    assert width_of(fitted(LONG, 10, width), 10) <= width
    assert fitted(LONG, 10, width).endswith("…")
    assert "short" == fitted("short", 10, 60)
    assert len(lines) <= 3
    assert all(width_of(line, 10) <= width for line in lines)


# ---------- libraries ----------


@pytest.mark.parametrize(
    ("library", "made"),
    [
        ("pptx", lambda: write_deck(paper(many(1, full=False)))),
        ("vl_convert", lambda: write_html(paper(many(3, full=True)))),
        ("weasyprint", lambda: write_pdf(b"<p>x</p>", DAY)),
    ],
)
def test_a_library_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, library: str, made: Any
) -> None:
    """With the way to install it, in one sentence."""
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtra, match=r"pip install"):
        made()


def test_heavy_libraries_load_when_papers_are_made() -> None:
    """To read the configuration and to help, none of them is needed."""
    code = (
        "import sys, hub_papers, hub_papers.destination, hub_papers.command\n"
        "print(sorted({'pptx', 'vl_convert', 'weasyprint', 'jinja2', 'lxml', 'duckdb'} & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == seen.stdout.strip()
