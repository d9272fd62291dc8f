"""Draw the story's charts as native, editable ones of PowerPoint; a picture where it has no such chart."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from datetime import date
from math import floor, log10
from typing import Any

from hub import MissingExtra, Story, alternative, chart, title_of
from hub_papers.charts import render, sized
from hub_papers.look import BLUE, GREEN, GREY, INK, LINE, RED, SERIES
from hub_papers.template import Box

SIZE = 10
"""Points of every text in a chart."""


def draw(slide: Any, name: str, story: Story, box: Box) -> Any:
    """Draw the chart *name* of *story* in *box* of *slide* with its alternative text; None without rows."""
    spec = chart(name, story)
    if spec is None:
        return None
    if name in _NATIVE:
        frame = _NATIVE[name](slide, spec["datasets"]["rows"], box)
        _title(frame.chart, title_of(name, story))
    else:
        frame = _picture(slide, spec, story, box)
    described = frame._element.xpath(".//p:cNvPr")[0]
    described.set("descr", alternative(name, story))
    described.set("name", title_of(name, story))
    return frame


def _picture(slide: Any, spec: dict[str, Any], story: Story, box: Box) -> Any:
    from pptx.util import Pt

    rows = len({row["project"] for row in spec["datasets"]["rows"]})
    step = max(26, min(34, int((box.height * 1.1 - 40) / rows)))
    data = render(sized(spec, int(box.width * 1.1) - 330, step), "png", story.lang, scale=2)
    wide, high = struct.unpack(">II", data[16:24])
    scale = min(box.width / wide, box.height / high)
    return slide.shapes.add_picture(
        io.BytesIO(data), Pt(box.left), Pt(box.top), Pt(wide * scale), Pt(high * scale)
    )


def _add(slide: Any, kind: str, data: Any, box: Box) -> Any:
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Pt

    frame = slide.shapes.add_chart(
        getattr(XL_CHART_TYPE, kind), Pt(box.left), Pt(box.top), Pt(box.width), Pt(box.height), data
    )
    made = frame.chart
    made.font.size = Pt(SIZE)
    made.font.color.rgb = _rgb(INK)
    axis = made.value_axis
    axis.major_gridlines.format.line.color.rgb = _rgb(LINE)
    axis.major_gridlines.format.line.width = Pt(0.5)
    axis.format.line.fill.background()
    made.category_axis.format.line.color.rgb = _rgb(GREY)
    made.category_axis.has_major_gridlines = False
    return frame


def _title(made: Any, text: str) -> None:
    from pptx.util import Pt

    made.has_title = True
    frame = made.chart_title.text_frame
    frame.text = text
    run = frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold = Pt(12), True
    run.font.color.rgb = _rgb(BLUE)
    made.chart_title.include_in_layout = False


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour[1:])


def _category_data() -> Any:
    try:
        from pptx.chart.data import CategoryChartData
    except ImportError as exc:
        raise MissingExtra(str(exc)) from exc
    return CategoryChartData()


def _lines(
    slide: Any, box: Box, categories: list[Any], series: dict[str, dict[Any, float]], form: str
) -> Any:
    """Draw lines over *categories*; where a series says nothing its line goes on to its next point."""
    from pptx.enum.chart import XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn
    from pptx.util import Pt

    data = _category_data()
    data.categories = categories
    for name, points in series.items():
        data.add_series(name, [points.get(one) for one in categories], number_format=form)
    frame = _add(slide, "LINE_MARKERS", data, box)
    made = frame.chart
    markers = (
        XL_MARKER_STYLE.CIRCLE, XL_MARKER_STYLE.SQUARE, XL_MARKER_STYLE.TRIANGLE, XL_MARKER_STYLE.DIAMOND,
    )  # fmt: skip
    for place, one in enumerate(made.plots[0].series):
        colour = _rgb(SERIES[place % len(SERIES)])
        one.smooth = False
        one.format.line.width = Pt(2)
        one.format.line.color.rgb = colour
        one.marker.style, one.marker.size = markers[place % len(markers)], 6
        one.marker.format.fill.solid()
        one.marker.format.fill.fore_color.rgb = colour
        one.marker.format.line.color.rgb = colour
    made.has_legend = True
    made.legend.position, made.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    made.legend.font.size = Pt(SIZE)
    made.value_axis.tick_labels.number_format = form
    made.value_axis.tick_labels.number_format_is_linked = False
    made.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    space = made._chartSpace.chart
    blanks = space.find(qn("c:dispBlanksAs"))
    if blanks is None:
        blanks = parse_xml(f'<c:dispBlanksAs {nsdecls("c")} val="span"/>')
        space.append(blanks)
    blanks.set("val", "span")
    return frame


def _over_cuts(slide: Any, rows: list[dict[str, Any]], box: Box) -> Any:
    ordered = sorted(rows, key=lambda row: row["date"])
    cuts = list(dict.fromkeys(row["cut"] for row in ordered))
    series: dict[str, dict[Any, float]] = {}
    for row in rows:
        series.setdefault(row["project"], {})[row["cut"]] = row["slip"]
    return _lines(slide, box, cuts, series, "#,##0")


def _over_days(slide: Any, rows: list[dict[str, Any]], box: Box) -> Any:
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    series: dict[str, dict[Any, float]] = {}
    for row in rows:
        series.setdefault(row["series"], {})[date.fromisoformat(row["date"])] = row["value"]
    days = sorted({one for points in series.values() for one in points})
    frame = _lines(slide, box, days, series, "#,##0")
    made = frame.chart
    axis = made.category_axis
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "mm/yyyy", False
    months = max(1, round((days[-1] - days[0]).days / 30 / 8))
    element = axis._element
    for name, value in (("baseTimeUnit", "days"), ("majorUnit", str(months)), ("majorTimeUnit", "months")):
        for old in element.findall(f"{{{element.nsmap['c']}}}{name}"):
            element.remove(old)
        element.append(parse_xml(f'<c:{name} {nsdecls("c")} val="{value}"/>'))
    return frame


def _waterfall(slide: Any, rows: list[dict[str, Any]], box: Box) -> Any:
    """Stack each step on a column that is not seen, and its label above on another."""
    from pptx.enum.chart import XL_LABEL_POSITION, XL_TICK_LABEL_POSITION
    from pptx.util import Pt

    bottom = min(row["low"] for row in rows if row["kind"] == "total")
    high = max(row["high"] for row in rows)
    step = 10 ** floor(log10(max(high - bottom, 1.0)))
    bottom = floor(bottom / step) * step
    names = {"total": "=", "over": "+", "under": "−"}
    data = _category_data()
    data.categories = [row["step"] for row in rows]
    data.add_series("…", [0 if row["kind"] == "total" else row["low"] for row in rows])
    for kind, name in names.items():
        data.add_series(name, [
            (row["high"] if kind == "total" else row["high"] - row["low"]) if row["kind"] == kind else None
            for row in rows
        ])  # fmt: skip
    data.add_series(" ", [(high - bottom) * 0.08] * len(rows))
    frame = _add(slide, "COLUMN_STACKED", data, box)
    made = frame.chart
    plot = made.plots[0]
    plot.gap_width, plot.overlap = 40, 100
    made.has_legend = False
    colours = {"…": None, "=": BLUE, "+": RED, "−": GREEN, " ": None}
    for one in plot.series:
        colour = colours[one.name]
        if colour is None:
            one.format.fill.background()
            one.format.line.fill.background()
        else:
            one.format.fill.solid()
            one.format.fill.fore_color.rgb = _rgb(colour)
    for place, row in enumerate(rows):
        label = plot.series[-1].points[place].data_label
        label.position = XL_LABEL_POSITION.INSIDE_BASE
        label.has_text_frame = True
        label.text_frame.text = row["label"]
        label.text_frame.word_wrap = False
        font = label.text_frame.paragraphs[0].runs[0].font
        font.size, font.bold = Pt(SIZE), True
        font.color.rgb = _rgb(INK)
    made.value_axis.minimum_scale = bottom
    made.value_axis.maximum_scale = high + (high - bottom) * 0.12
    made.value_axis.tick_labels.number_format = "#,##0"
    made.value_axis.tick_labels.number_format_is_linked = False
    made.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    return frame


def _months(slide: Any, rows: list[dict[str, Any]], box: Box) -> Any:
    from pptx.enum.chart import XL_LABEL_POSITION, XL_LEGEND_POSITION
    from pptx.util import Pt

    months = sorted({row["month"] for row in rows})
    data = _category_data()
    data.categories = [f"{one[5:7]}/{one[:4]}" for one in months]
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    for metric in metrics:
        found = {row["month"]: row["compliance"] for row in rows if row["metric"] == metric}
        data.add_series(metric, [found.get(one) for one in months], number_format="0%")
    frame = _add(slide, "COLUMN_CLUSTERED", data, box)
    made = frame.chart
    made.value_axis.minimum_scale, made.value_axis.maximum_scale = 0, 1
    made.value_axis.tick_labels.number_format = "0%"
    made.value_axis.tick_labels.number_format_is_linked = False
    plot = made.plots[0]
    plot.gap_width = 60
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.number_format, labels.number_format_is_linked = "0%", False
    labels.position = XL_LABEL_POSITION.OUTSIDE_END
    labels.font.size = Pt(SIZE)
    for place, one in enumerate(plot.series):
        one.format.fill.solid()
        one.format.fill.fore_color.rgb = _rgb(SERIES[place % len(SERIES)])
    made.has_legend = True
    made.legend.position, made.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    return frame


_NATIVE: dict[str, Callable[[Any, list[dict[str, Any]], Box], Any]] = {
    "slips": _over_cuts, "s_curve": _over_days, "burn_up": _over_days, "waterfall": _waterfall,
    "sla": _months,
}  # fmt: skip
