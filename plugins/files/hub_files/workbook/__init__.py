"""The committee's workbook, the story to read and print; and the feed's tables in a second file."""

from __future__ import annotations

from pathlib import Path

from hub import FeedView, speaking, tell
from hub_files.workbook.charts import charts
from hub_files.workbook.data import write_data
from hub_files.workbook.events import decisions, milestones, moves, risks
from hub_files.workbook.load import load
from hub_files.workbook.papers import Papers
from hub_files.workbook.projects import budget, portfolio
from hub_files.workbook.quality import about, quality
from hub_files.workbook.summary import summary

__all__ = ["write_data", "write_workbook"]
_SHEETS = (
    summary, portfolio, moves, milestones, budget, risks, decisions, load, quality, charts, about,
)  # fmt: skip


def write_workbook(path: Path, feed: FeedView) -> None:
    """Write the committee's workbook of *feed* to *path*, in the feed's language."""
    story = tell(feed)
    with speaking(story.lang):
        papers = Papers(path, story, feed.manifest)
        for write in _SHEETS:
            write(papers)
        papers.close()
