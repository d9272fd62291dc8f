"""The committee's story as data: what every paper draws, and none computes."""

from hub.feed.story.charts import ARROWS, CHARTS, alternative, chart, rows_of, title_of, zone
from hub.feed.story.shapes import (
    Driver,
    Figure,
    Forecast,
    Line,
    Load,
    Milestone,
    Month,
    Move,
    Point,
    Project,
    RegisterEntry,
    Rejection,
    Sla,
    Span,
    Story,
)
from hub.feed.story.telling import tell
from hub.feed.story.writing import amount, sign_of, what_moved, written

__all__ = [
    "ARROWS",
    "CHARTS",
    "Driver",
    "Figure",
    "Forecast",
    "Line",
    "Load",
    "Milestone",
    "Month",
    "Move",
    "Point",
    "Project",
    "RegisterEntry",
    "Rejection",
    "Sla",
    "Span",
    "Story",
    "alternative",
    "amount",
    "chart",
    "rows_of",
    "sign_of",
    "tell",
    "title_of",
    "what_moved",
    "written",
    "zone",
]
