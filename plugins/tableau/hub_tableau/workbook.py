"""The committee's workbook: sheets over the story's tables, arranged on four dashboards.

A sheet whose table is empty leaves its place to a sentence that says so. Source: as of `hub_tableau.source`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from hub import Story, alternative, mark, speaking, tr
from hub_tableau import hyper
from hub_tableau.committee import (
    COLOURS,
    COMMITTEE,
    EXTRACT,
    caption_of,
    columns_of,
    data_sources,
    rag,
    tables_of,
    word,
)
from hub_tableau.package import pack
from hub_tableau.source import (
    VERSION,
    DataSource,
    bracketed,
    column,
    identifier,
    manifest,
    only,
    plain,
    quoted,
    written,
)

WORKBOOK = "committee.twbx"
_MANIFEST = (
    "AnimationOnByDefault", "MarkAnimation", "ObjectModelEncapsulateLegacy", "ObjectModelTableType",
    "SchemaViewerObjectModel", "SheetIdentifierTracking", "WindowsPersistSimpleIdentifiers",
)  # fmt: skip
_BUILD = "2025.3.2 (20253.26.0109.0333)"
_WIDTH, _HEIGHT = 1400, 900
_WHOLE = 100_000
"""How wide and high a dashboard is, whatever its pixels: places on it are parts of this."""
_BREAK = "Æ\n"
"""How Tableau writes the end of a line: a run of its own."""
_INK, _BLUE = "#22303C", "#1F3A5F"
_INSTANCES = {
    "none": ("None", "nk", "nominal"), "each": ("None", "ok", "ordinal"),
    "day": ("None", "qk", "quantitative"),
    "sum": ("Sum", "qk", "quantitative"), "max": ("Max", "qk", "quantitative"),
    "min": ("Min", "qk", "quantitative"), "attr": ("Attribute", "nk", "nominal"),
}  # fmt: skip
_KEY_FIGURES = (
    "LANDING.budget", "LANDING.landing", "LANDING.variance", "RAF.consomme", "RAF.raf", "EVM_DAYS.cpi",
    "EVM_DAYS.spi", "RISK.expected_exposure",
)  # fmt: skip
"""What the synthesis and the portfolio show of the catalogue; the data sources have all of it."""


class Pill(msgspec.Struct, frozen=True):
    """A field as it stands on a shelf: *how* it is taken.

    A text as it is (none), each day or whole number (each), days along an axis (day), or an aggregate.
    """

    name: str
    how: str = "none"

    @property
    def instance(self) -> str:
        """Return the name of it as it stands there."""
        prefix = "none" if self.how in {"each", "day"} else self.how
        return f"[{prefix}:{self.name}:{_INSTANCES[self.how][1]}]"


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One sheet: of which *table*, its *title*, how it is drawn, and what stands on its shelves.

    *chart* is the chart of the story that it shows, for its words; *only* leaves some members of a field;
    *by* is the field that rows are ordered by.
    """

    table: str
    title: str
    mark: str = "Text"
    rows: tuple[Pill, ...] = ()
    cols: tuple[Pill, ...] = ()
    text: Pill | None = None
    colour: Pill | None = None
    size: Pill | None = None
    detail: Pill | None = None
    chart: str = ""
    only: tuple[Pill, tuple[str, ...]] | None = None
    by: tuple[str, str] | None = None

    @property
    def pills(self) -> tuple[Pill, ...]:
        """Return all that stands on it, once each."""
        marks = (self.text, self.colour, self.size, self.detail)
        filtered = (self.only[0],) if self.only else ()
        ordered = (Pill(self.by[0]), Pill(self.by[1], "min")) if self.by else ()
        every = (*self.rows, *self.cols, *(one for one in marks if one), *filtered, *ordered)
        return tuple(dict.fromkeys(every))


_BY_WEATHER = ("projects.project", "projects.rank")
_PROJECT = Pill("projects.project")
SHEETS: Mapping[str, Sheet] = {
    "totals": Sheet(
        table="totals", title=mark("Key figures"), rows=(Pill("totals.caption"),),
        text=Pill("totals.shown", "attr"), only=(Pill("totals.figure"), _KEY_FIGURES),
    ),
    "weather": Sheet(
        table="projects", title=mark("Weather of the projects"), mark="Bar", chart="weather",
        rows=(Pill("projects.weather"),), cols=(Pill("projects.n", "sum"),), colour=Pill("projects.weather"),
        text=Pill("projects.n", "sum"),
    ),
    "decisions": Sheet(
        table="register", title=mark("Decisions asked"), only=(Pill("register.is_asked", "each"), ("1",)),
        rows=(
            _PROJECT, Pill("register.title"), Pill("register.asked_of"), Pill("register.due", "each"),
        ),
        text=Pill("register.kind", "attr"),
    ),
    "moves": Sheet(
        table="moves", title=mark("What moved"), only=(Pill("moves.cause"), ("news",)),
        rows=(Pill("moves.topic"), _PROJECT, Pill("moves.item"), Pill("moves.before"), Pill("moves.after")),
        text=Pill("moves.shown", "attr"),
    ),
    "portfolio": Sheet(
        table="projects", title=mark("Weather, reason and confidence"), by=_BY_WEATHER,
        rows=(
            _PROJECT, Pill("projects.declared"), Pill("projects.trend"), Pill("projects.confidence"),
            Pill("projects.reason"), Pill("projects.commentary"),
        ),
        text=Pill("projects.weather"), colour=Pill("projects.weather"),
    ),
    "figures": Sheet(
        table="figures", title=mark("Figures of the projects"), by=_BY_WEATHER, rows=(_PROJECT,),
        cols=(Pill("figures.caption"),), text=Pill("figures.shown", "attr"), colour=Pill("figures.rag"),
        only=(Pill("figures.figure"), _KEY_FIGURES),
    ),
    "roadmap": Sheet(
        table="roadmap", title=mark("Roadmap"), mark="GanttBar", chart="roadmap", by=_BY_WEATHER,
        rows=(_PROJECT,), cols=(Pill("roadmap.start", "day"),), size=Pill("roadmap.days", "max"),
        colour=Pill("projects.weather"),
    ),
    "slips": Sheet(
        table="slips", title=mark("Slip of the milestones over the cuts"), mark="Line", chart="slips",
        rows=(Pill("slips.slip", "max"),), cols=(Pill("slips.day", "day"),), colour=_PROJECT,
    ),
    "milestones": Sheet(
        table="milestones", title=mark("Milestones and their dates"),
        rows=(
            _PROJECT, Pill("milestones.title"), Pill("milestones.baseline", "each"),
            Pill("milestones.finish", "each"),
            Pill("milestones.state"),
        ),
        text=Pill("milestones.slip", "max"),
    ),
    "s_curve": Sheet(
        table="s_curve", title=mark("Planned, earned and spent"), mark="Line", chart="s_curve",
        rows=(Pill("s_curve.value", "max"),), cols=(Pill("s_curve.day", "day"),),
        colour=Pill("s_curve.series"),
    ),
    "waterfall": Sheet(
        table="waterfall", title=mark("From budget to landing"), mark="GanttBar", chart="waterfall",
        rows=(Pill("waterfall.low", "max"),), cols=(Pill("waterfall.step"),),
        size=Pill("waterfall.height", "max"), colour=Pill("waterfall.kind"),
        text=Pill("waterfall.label", "attr"), by=("waterfall.step", "waterfall.rank"),
    ),
    "load": Sheet(
        table="load", title=mark("Load by team and week"), mark="Square", chart="load",
        rows=(Pill("load.team"),), cols=(Pill("load.week", "each"),), colour=Pill("load.load", "max"),
        text=Pill("load.shown", "attr"),
    ),
}  # fmt: skip
"""The sheets by their codes; their names are their titles in the language of the feed."""

Place = tuple[str, int, int, int, int]
SYNTHESIS = "synthesis"
DASHBOARDS: Mapping[str, tuple[Place, ...]] = {
    mark("Synthesis"): (
        (SYNTHESIS, 0, 0, 50, 50), ("totals", 50, 0, 25, 50), ("weather", 75, 0, 25, 50),
        ("decisions", 0, 50, 45, 50), ("moves", 45, 50, 55, 50),
    ),
    mark("Portfolio"): (("portfolio", 0, 0, 100, 52), ("figures", 0, 52, 100, 48)),
    mark("Milestones"): (
        ("roadmap", 0, 0, 58, 55), ("slips", 58, 0, 42, 55), ("milestones", 0, 55, 100, 45),
    ),
    mark("Effort and landing"): (
        ("s_curve", 0, 0, 50, 55), ("waterfall", 50, 0, 50, 55), ("load", 0, 55, 100, 45),
    ),
}  # fmt: skip
"""The dashboards: what stands where on them, in percent from the left and the top, and how wide and high."""


def write_workbook(process: Any, story: Story, path: Path) -> None:
    """Write the workbook of *story*, with its extract inside, to *path*."""
    rows = tables_of(story)
    extract = path.with_suffix(".hyper")
    with speaking(story.lang):
        hyper.write_rows(
            process, extract, {caption_of(name): (columns_of(name), found) for name, found in rows.items()}
        )
    filled = [name for name, found in rows.items() if found]
    pack(path, {f"{path.stem}.twb": written(workbook(story, filled))}, {EXTRACT: extract})
    extract.unlink()


def rows_in(story: Story) -> dict[str, int]:
    """Return how many rows each table of the workbook has, by its name in the extract."""
    with speaking(story.lang):
        return {caption_of(name): len(rows) for name, rows in tables_of(story).items()}


def committee_name(story: Story) -> str:
    """Return what the workbook is called."""
    with speaking(story.lang):
        return tr("Committee")


def workbook(story: Story, filled: Iterable[str]) -> ET.Element:
    """Return the workbook as XML; *filled* are the tables that have rows."""
    with speaking(story.lang):
        sources = data_sources(story)
        sheets = {code: one for code, one in SHEETS.items() if one.table in set(filled)}
        root = ET.Element("workbook", {
            "original-version": VERSION, "source-build": _BUILD, "source-platform": "win",
            "version": VERSION,
        })  # fmt: skip
        root.append(manifest(_MANIFEST))
        used = {sources[one.table].name: sources[one.table] for one in sheets.values()}
        used = used or {COMMITTEE: sources["projects"]}  # a workbook without any is none
        ET.SubElement(root, "datasources").extend(one.element(alone=False) for one in used.values())
        if sheets:
            ET.SubElement(root, "worksheets").extend(
                _worksheet(one, sources[one.table], story) for one in sheets.values()
            )
        dashboards = ET.SubElement(root, "dashboards")
        dashboards.extend(_dashboard(name, places, sheets, story) for name, places in DASHBOARDS.items())
        _windows(ET.SubElement(root, "windows"), sheets)
        explain = ET.SubElement(root, "explain-data", {
            "enabled-for-viewer": "false", "extreme-values-enabled-for-all": "false",
        })  # fmt: skip
        ET.SubElement(explain, "explanation-types")
        return root


def _worksheet(sheet: Sheet, source: DataSource, story: Story) -> ET.Element:
    title = tr(sheet.title)
    found = ET.Element("worksheet", {"name": title})
    options = ET.SubElement(found, "layout-options")
    _text(ET.SubElement(options, "title"), ((title, _BLUE, True),), size=12)
    said = alternative(sheet.chart, story) if sheet.chart else f"{title}."
    _text(ET.SubElement(options, "alt-text"), ((said, None, False),))
    table = ET.SubElement(found, "table")
    _view(ET.SubElement(table, "view"), sheet, source)
    _style(ET.SubElement(table, "style"))
    pane = ET.SubElement(ET.SubElement(table, "panes"), "pane", {
        "selection-relaxation-option": "selection-relaxation-allow",
    })  # fmt: skip
    ET.SubElement(ET.SubElement(pane, "view"), "breakdown", {"value": "auto"})
    ET.SubElement(pane, "mark", {"class": sheet.mark})
    encodings = ET.SubElement(pane, "encodings")
    for tag, pill in (
        ("color", sheet.colour), ("size", sheet.size), ("text", sheet.text), ("lod", sheet.detail),
    ):  # fmt: skip
        if pill:
            ET.SubElement(encodings, tag, {"column": _on(source, pill)})
    if sheet.text:
        rule = ET.SubElement(ET.SubElement(pane, "style"), "style-rule", {"element": "mark"})
        ET.SubElement(rule, "format", {"attr": "mark-labels-show", "value": "true"})
    ET.SubElement(table, "rows").text = _shelf(source, sheet.rows)
    ET.SubElement(table, "cols").text = _shelf(source, sheet.cols)
    ET.SubElement(found, "simple-id", {"uuid": identifier(f"sheet {title}")})
    return found


def _view(view: ET.Element, sheet: Sheet, source: DataSource) -> None:
    ET.SubElement(ET.SubElement(view, "datasources"), "datasource", {
        "caption": plain(source.caption), "name": source.id,
    })  # fmt: skip
    needs = ET.SubElement(view, "datasource-dependencies", {"datasource": source.id})
    fields = {one.name: one for one in source.fields}
    for name in sorted({pill.name for pill in sheet.pills}):
        needs.append(column(fields[f"[{name}]"]))
    for pill in sheet.pills:
        derivation, _, kind = _INSTANCES[pill.how]
        ET.SubElement(needs, "column-instance", {
            "column": f"[{pill.name}]", "derivation": derivation, "name": pill.instance, "pivot": "key",
            "type": kind,
        })  # fmt: skip
    if sheet.only:
        pill, members = sheet.only
        is_text = fields[f"[{pill.name}]"].kind == "VARCHAR"
        said = tuple(quoted(word(one) or one) if is_text else one for one in members)
        view.append(only(_on(source, pill), pill.instance, said))
    if sheet.by:
        ET.SubElement(view, "computed-sort", {
            "column": _on(source, Pill(sheet.by[0])), "direction": "ASC",
            "using": _on(source, Pill(sheet.by[1], "min")),
        })  # fmt: skip
    if sheet.only:
        ET.SubElement(ET.SubElement(view, "slices"), "column").text = _on(source, sheet.only[0])
    ET.SubElement(view, "aggregation", {"value": "true"})


def _on(source: DataSource, pill: Pill) -> str:
    return f"{bracketed(source.id)}.{pill.instance}"


def _shelf(source: DataSource, pills: tuple[Pill, ...]) -> str | None:
    names = [_on(source, one) for one in pills]
    return f"({' / '.join(names)})" if len(names) > 1 else next(iter(names), None)


def _style(style: ET.Element) -> None:
    rule = ET.SubElement(style, "style-rule", {"element": "worksheet"})
    ET.SubElement(rule, "format", {"attr": "color", "value": _INK})
    ET.SubElement(rule, "format", {"attr": "font-size", "value": "9"})


def _text(
    parent: ET.Element, runs: Iterable[tuple[str, str | None, bool]], *, size: int | None = None
) -> None:
    """Write a text of *runs*: words, their colour, and whether they are bold."""
    formatted = ET.SubElement(parent, "formatted-text")
    for words, colour, bold in runs:
        run = ET.SubElement(formatted, "run")
        run.text = words if words == _BREAK else plain(words).replace("\n", " ")
        if colour:
            run.set("fontcolor", colour)
        if size:
            run.set("fontsize", str(size))
        if bold:
            run.set("bold", "true")


def _dashboard(name: str, places: tuple[Place, ...], sheets: Mapping[str, Sheet], story: Story) -> ET.Element:
    title = tr(name)
    found = ET.Element("dashboard", {"name": title})
    size = {"maxheight": _HEIGHT, "maxwidth": _WIDTH, "minheight": _HEIGHT, "minwidth": _WIDTH}
    ET.SubElement(found, "style")
    ET.SubElement(found, "size", {side: str(value) for side, value in size.items()})
    zones = ET.SubElement(found, "zones")
    whole = _zone(zones, 1, (0, 0, _WHOLE, _WHOLE), {"type-v2": "layout-basic"})
    head = _WHOLE * 7 // 100
    _text(_zone(whole, 2, (0, 0, _WHOLE, head), {"type-v2": "text"}), (
        (title, _BLUE, True), (f"  {_told_of(story)}", _INK, False),
    ), size=14)  # fmt: skip
    body = _WHOLE - head
    for number, (code, left, top, wide, high) in enumerate(places, 3):
        box = (left * _WHOLE // 100, head + top * body // 100, wide * _WHOLE // 100, high * body // 100)
        if code == SYNTHESIS:
            _text(_zone(whole, number, box, {"type-v2": "text"}), _lines(story), size=10)
        elif code in sheets:
            sheet = sheets[code]
            said = alternative(sheet.chart, story) if sheet.chart else f"{tr(sheet.title)}."
            _zone(whole, number, box, {"name": tr(sheet.title), "alt-text": plain(said)})
        else:
            _text(_zone(whole, number, box, {"type-v2": "text"}), _empty(SHEETS[code]), size=10)
    ET.SubElement(found, "simple-id", {"uuid": identifier(f"dashboard {title}")})
    return found


def _zone(
    parent: ET.Element, number: int, box: tuple[int, int, int, int], more: dict[str, str]
) -> ET.Element:
    left, top, wide, high = box
    return ET.SubElement(parent, "zone", {
        "h": str(high), "id": str(number), "w": str(wide), "x": str(left), "y": str(top), **more,
    })  # fmt: skip


def _told_of(story: Story) -> str:
    return f"{story.label}. " + (tr("Data is complete.") if story.complete else tr("Data is incomplete."))


def _lines(story: Story) -> Iterable[tuple[str, str | None, bool]]:
    if not story.synthesis:
        yield tr("Nothing is known of the portfolio yet."), _INK, False
    for line in story.synthesis:
        sign = rag(line.rag).split(" ")[0]
        yield f"{sign} ", COLOURS[line.rag or "grey"], True
        yield line.text, _INK, False
        yield _BREAK, None, False


def _empty(sheet: Sheet) -> Iterable[tuple[str, str | None, bool]]:
    yield tr(sheet.title), _BLUE, True
    yield _BREAK, None, False
    yield tr("Nothing to show: the sources have said nothing of it."), _INK, False


def _windows(windows: ET.Element, sheets: Mapping[str, Sheet]) -> None:
    """Say what opens: the first dashboard; the sheets are hidden behind them."""
    for order, (name, places) in enumerate(DASHBOARDS.items()):
        title = tr(name)
        window = ET.SubElement(windows, "window", {"class": "dashboard", "name": title})
        if order == 0:
            window.set("maximized", "true")
        views = ET.SubElement(window, "viewpoints")
        for code, *_ in places:
            if code in sheets:
                ET.SubElement(views, "viewpoint", {"name": tr(sheets[code].title)})
        ET.SubElement(window, "active", {"id": "-1"})
        ET.SubElement(window, "simple-id", {"uuid": identifier(f"window {title}")})
    for sheet in sheets.values():
        title = tr(sheet.title)
        window = ET.SubElement(windows, "window", {"class": "worksheet", "hidden": "true", "name": title})
        cards = ET.SubElement(window, "cards")
        left = ET.SubElement(ET.SubElement(cards, "edge", {"name": "left"}), "strip", {"size": "160"})
        for card in ("pages", "filters", "marks"):
            ET.SubElement(left, "card", {"type": card})
        above = ET.SubElement(cards, "edge", {"name": "top"})
        for card in ("columns", "rows", "title"):
            strip = ET.SubElement(above, "strip", {"size": "2147483647"})
            ET.SubElement(strip, "card", {"type": card})
        ET.SubElement(window, "simple-id", {"uuid": identifier(f"window {title}")})
