"""What stands beside the figures of a page: their definitions in the catalogue, and what they stand on."""

from __future__ import annotations

from collections.abc import Iterable

from hub import Story, catalogue, day, tr


def definitions(names: Iterable[str], lang: str) -> list[tuple[str, str, str]]:
    """Return KPI, its name and its definition, each once, of the measures *names*, in the language spoken."""
    known = catalogue()
    codes = dict.fromkeys(name.partition(".")[0] for name in names)
    return [(code, getattr(known[code], lang), tr(known[code].definition)) for code in codes if code in known]


def standing(story: Story) -> list[str]:
    """Return what the figures of *story* stand on."""
    if not story.is_now:
        return [
            tr(
                "Source: the cut {label} of {day}, as it was recorded.",
                label=story.label,
                day=day(story.as_of),
            )
        ]
    lines = [tr("Source: feed {feed}, level {level}, as of {day}; figures as in the table fact_kpi.",
                feed=story.feed_id, level=story.privacy, day=day(story.as_of))]  # fmt: skip
    return lines + list(story.sources)
