"""The committee's papers of 24 projects: slides, page and PDF.

Ours against the bare library that writes as many cells of tables.
"""

from __future__ import annotations

import io
import sys
import time
from datetime import date, timedelta

from hub_papers.deck import write_deck
from hub_papers.html import write_html
from hub_papers.pages import paper
from hub_papers.pdf import write_pdf
from pptx import Presentation
from pptx.util import Pt

from hub import MissingExtra
from hub.feed.story import Figure, Milestone, Move, Point, Project, RegisterEntry, Span, Story

GOAL_S = 20.0
PROJECTS = 24
DAY = date(2026, 10, 30)
UNITS = {
    "RAF.avancement": "share", "RAF.consomme": "days", "RAF.raf": "days", "EVM_DAYS.cpi": "ratio",
    "EVM_DAYS.spi": "ratio", "LANDING.budget": "amount", "LANDING.landing": "amount",
    "LANDING.variance": "amount", "MILESTONE_SLIP.slip_days": "duration", "DQ_SCORE.score": "score",
}  # fmt: skip


def story() -> Story:
    """Return a portfolio in which everything is known."""
    keys = range(1, PROJECTS + 1)
    figures = {
        name: Figure(kpi=name.partition(".")[0], measure=name.partition(".")[2], unit=unit, caption=name,
                     value=1234.5, rag="amber")
        for name, unit in UNITS.items()
    }  # fmt: skip
    days = [DAY + timedelta(days=30 * month) for month in range(-6, 7)]
    return Story(
        lang="fr", feed_id="bench", currency="EUR", privacy="team-week", label="COPIL", as_of=DAY,
        is_now=False, before="COPIL 1", next_committee=DAY, is_next_known=True, complete=True,
        missing=(), totals=figures,
        projects=tuple(
            Project(key=key, code=f"P{key:03d}", name=f"Project number {key}", program="P", portfolio="I",
                    phase="Build", state="active", declared="green", computed="red", trend="worse",
                    is_contradicted=True, reason="CPI 0.76 < 0.85", commentary="On the way.",
                    confidence="low", confidence_reason="quality 60 / 100", figures=figures)
            for key in keys
        ),
        moves=tuple(
            Move(project_key=key, topic="effort", cause="news", item="x", measure="spent", unit="days",
                 before_value=1.0, after_value=2.0, before_date=None, after_date=None, delta=1.0)
            for key in keys
        ),
        milestones=tuple(
            Milestone(project_key=key, title="Go live", baseline=DAY, finish=DAY, slip_days=10, state="open")
            for key in keys for _ in range(3)
        ),
        register=tuple(
            RegisterEntry(project_key=key, kind="risk", title="Late", asked_of=None, opened_date=DAY,
                          due_date=DAY, probability=0.4, impact=3, exposure=1e5, expected=4e4, score=1.2)
            for key in keys
        ),
        slips=tuple(
            Point(project_key=key, series="slip", date=day, value=10.0, label=f"{day}")
            for key in keys for day in days
        ),
        curve=tuple(
            Point(project_key=1, series=series, date=day, value=100.0)
            for series in ("planned", "earned", "actual") for day in days
        ),
        roadmap=tuple(
            Span(project_key=key, start=days[0], finish=days[-1], baseline_start=days[0],
                 baseline_finish=days[-2])
            for key in keys
        ),
    )  # fmt: skip


def bare(tables: list[tuple[int, int]]) -> None:
    """Write tables of so many rows and columns, a slide each, with the library alone."""
    made = Presentation()
    for rows, columns in tables:
        slide = made.slides.add_slide(made.slide_layouts[5])
        table = slide.shapes.add_table(rows, columns, Pt(0), Pt(0), Pt(600), Pt(20 * rows)).table
        for row in table.rows:
            for cell in row.cells:
                cell.text = "1 234"
    made.save(io.BytesIO())


def main() -> int:
    """Print the times and the ratio; fail when the goal is missed."""
    told = story()
    began = time.perf_counter()
    pages = paper(told)
    slides = write_deck(pages)
    ours = time.perf_counter() - began
    page = write_html(pages)
    with_page = time.perf_counter() - began
    try:
        write_pdf(page, DAY)
    except MissingExtra as exc:
        print(exc)
    whole = time.perf_counter() - began
    tables = [
        (len(shape.table.rows), len(shape.table.columns))
        for slide in Presentation(io.BytesIO(slides)).slides for shape in slide.shapes if shape.has_table
    ]  # fmt: skip
    began = time.perf_counter()
    bare(tables)
    least = time.perf_counter() - began
    cells = sum(rows * columns for rows, columns in tables)
    print(
        f"{PROJECTS} projects, {len(tables)} tables, {cells:,} cells: slides {ours:.1f} s, {with_page:.1f} s "
        f"with the page, {whole:.1f} s with the PDF (goal {GOAL_S:.0f}); bare library {least:.1f} s: "
        f"{ours / least:.1f} times"
    )
    return int(whole > GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
