"""The last sheets: what the figures stand on, and how the workbook is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub import catalogue, language, mark, sign_of, spoken_measure, spoken_reason, tr
from hub_files.workbook.looks import SYMBOLS, Cell, Column, weather
from hub_files.workbook.papers import Page, Papers
from hub_files.workbook.projects import confidence
from hub_files.workbook.summary import KEY_FIGURES

_WIDTHS = (24, 56, 40, 14, 9, 12, 9, 12)
_VERDICTS = {
    "ok": mark("complete"), "partial": mark("partial"), "stale": mark("out of date"),
    "never": mark("never read"), "failed": mark("failed"),
}  # fmt: skip
_RECORDS = {
    "account": mark("account"), "person": mark("person"), "container": mark("container"),
    "project": mark("project"), "task": mark("task"), "worklog": mark("hours"),
    "allocation": mark("allocation"), "assignment": mark("assignment"), "baseline": mark("baseline"),
    "budget_line": mark("budget line"), "register_item": mark("item of a register"),
    "checklist_item": mark("item of a checklist"), "custom_value": mark("value of a field"),
    "task_change": mark("change of a task"), "task_link": mark("link of tasks"), "sla_cycle": mark("SLA"),
    "iteration": mark("iteration"),
}  # fmt: skip
_HOURS = {
    "seconds": mark("hours"),
    "planned_s": mark("planned hours"),
    "capacity_s": mark("hours of capacity"),
}
_LEVELS = {
    "project": mark("sums of projects, nobody is named"),
    "team-week": mark("sums of teams and weeks, nobody is named"),
    "pseudonym-week": mark("people without names, by week"),
    "nominative-line": mark("people by name, line by line"),
}  # fmt: skip


def quality(papers: Papers) -> None:
    """Write the sources, what the feed does not count, and what could not be taken."""
    page = papers.page(tr("Quality"), tr("What the figures stand on"), _WIDTHS, topics=("confidence",))
    if papers.story.complete:
        page.text(tr("All sources are up to date and complete."), rag="green")
    _sources(page)
    _left_out(page)
    _rejected(page)
    _doubted(page)
    page.finish()


def _sources(page: Page) -> None:
    columns = [
        Column(tr("Source"), 24), Column(tr("Connector"), 56),
        Column(tr("Last complete sync (UTC)"), 40, "moment"), Column(tr("Verdict"), 14),
        Column(tr("Rows held"), 9, "whole"), Column(tr("Hours at stake"), 12, "number"),
        Column(tr("Rejected"), 9, "whole"), Column(tr("Hours rejected"), 12, "number"),
    ]  # fmt: skip
    page.heading(tr("Sources"))
    lines = []
    for source in page.papers.manifest.get("sources", []):
        at, verdict = source["last_success_at"], source["verdict"]
        rag = "green" if verdict == "ok" else "red"
        moment = datetime.fromisoformat(at.replace("Z", "+00:00")).replace(microsecond=0) if at else None
        word = tr(_VERDICTS[verdict]) if verdict in _VERDICTS else verdict
        lines.append([
            source["name"], source["plugin"], moment, Cell(f"{SYMBOLS[rag]} {word}", "text", rag),
            source["held_rows"], source["held_hours"], source["rejected"], source["rejected_hours"],
        ])  # fmt: skip
    if lines:
        page.table(columns, lines, "Sources")
    else:
        page.text(tr("No source is configured."))


def _left_out(page: Page) -> None:
    columns = [
        Column(tr("Measure"), 24), Column(tr("Why"), 56), Column(tr("Where"), 40), Column(tr("Unit"), 14),
        Column(tr("Rows"), 9, "whole"), Column(tr("Quantity"), 12, "number"),
    ]  # fmt: skip
    page.heading(tr("What the feed does not count"))
    lines: list[list[Any]] = []
    for one in page.papers.manifest["excluded"]:
        measure, amount, unit = one["measure"], one["amount"], ""
        if measure in _HOURS:
            name, amount, unit = tr(_HOURS[measure]), amount / 3600, "h"
        elif measure == "amount_minor":
            name, amount, unit = tr("amount"), amount / 100, sign_of(page.story.currency)
        else:
            name = spoken_measure(measure)
        where = tr("in the feed, not in every KPI") if one.get("in_feed") else tr("outside the feed")
        lines.append([name, spoken_reason(one["reason"]), where, unit, one["rows"], amount])
    if lines:
        page.table(columns, lines, "Excluded")
    else:
        page.text(tr("Everything counts."))


def _rejected(page: Page) -> None:
    columns = [
        Column(tr("Source"), 24), Column(tr("Why"), 56), Column(tr("Field"), 40), Column(tr("Record"), 14),
        Column(tr("Rows"), 9, "whole"), Column(tr("Hours lacking"), 12, "number"),
        Column(tr("Amount lacking"), 9, "amount"),
    ]  # fmt: skip
    page.heading(tr("What could not be taken"))
    lines = [
        [one.source, one.reason or tr("see hub rejections"), one.field,
         tr(_RECORDS[one.record]) if one.record in _RECORDS else one.record, one.n, one.hours, one.amount]
        for one in page.story.rejections
    ]  # fmt: skip
    if lines:
        page.table(columns, lines, "Rejections")
    else:
        page.text(tr("Everything that the sources have was taken."))


def _doubted(page: Page) -> None:
    columns = [
        Column(tr("Project"), 24), Column(tr("Why"), 56), Column(tr("Name"), 40),
        Column(tr("Confidence"), 14, "centred"),
    ]  # fmt: skip
    lines = [
        [one.code, one.confidence_reason, one.name, confidence(one.confidence)]
        for level in ("low", "medium") for one in page.story.projects if one.confidence == level
    ]  # fmt: skip
    if lines:
        page.heading(tr("Projects whose figures stand on little"))
        page.table(columns, lines, "Confidence")


def about(papers: Papers) -> None:
    """Write how the workbook is read, and what its figures mean."""
    story, manifest = papers.story, papers.manifest
    page = papers.page(tr("Read me"), tr("How to read this workbook"), (34, 30, 96))
    level = tr(_LEVELS[manifest["privacy"]]) if manifest["privacy"] in _LEVELS else manifest["privacy"]
    page.text(tr("Level of personal detail: {level}.", level=level))
    colours = ", ".join(str(weather(rag).value) for rag in SYMBOLS)
    page.text(
        tr("Colours have a symbol each: {colours}. A figure has the colour that its target gives it; "
           "without a target it has none.", colours=colours)
    )  # fmt: skip
    page.text(
        tr("Trend against the committee before: ↗ better, → same, ↘ worse. ≥ before an amount: at least that "
           "much, because something that is to come has no amount.")
    )  # fmt: skip
    page.text(tr("An empty cell is a figure that nobody knows: it is not zero."))
    page.text(
        tr("data.xlsx beside this file holds every table of the feed, for tables and figures of your own.")
    )
    page.text(tr("Feed {feed}, made by pm-hub {version}.", feed=story.feed_id, version=manifest["hub"]))
    page.heading(tr("The figures"))
    columns = [Column(tr("Figure"), 34), Column(tr("Code"), 30), Column(tr("Definition"), 96)]
    lines = []
    for code in dict.fromkeys(name.partition(".")[0] for name in (*KEY_FIGURES, "MILESTONE_SLIP.", "SLA.")):
        kpi = catalogue()[code]
        lines.append([kpi.fr if language() == "fr" else kpi.en, code, tr(kpi.definition)])
    page.table(columns, lines, "Figures")
    page.finish()
