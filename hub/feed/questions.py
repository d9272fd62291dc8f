"""What commands ask a published feed; each question is written once, here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.feed.build import open_feed

if TYPE_CHECKING:
    import duckdb


@contextmanager
def _feed(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_feed(folder)
    try:
        yield connection
    finally:
        connection.close()


class Red(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI of a project that is red now: its value, and what the committee last said of the project.

    That is None where it said nothing.
    """

    project: str
    measure: str
    value: float
    said: str | None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The quality score (0 to 100) of every source, the three lowest of projects, and what is red."""

    sources: dict[str, float]
    lowest: list[tuple[str, float]]
    red: list[Red]


def health(folder: Path) -> Health:
    """Return what `hub status` says of the feed in *folder*."""
    with _feed(folder) as feed:
        scores = feed.execute(
            "SELECT scope_label, value FROM fact_kpi "
            "WHERE cut_key = 0 AND kpi = 'DQ_SOURCE' AND scope_kind = 'source'"
        ).fetchall()
        low = feed.execute(
            "SELECT scope_label, value FROM fact_kpi WHERE cut_key = 0 AND kpi = 'DQ_SCORE' "
            "AND scope_kind = 'project' AND project_key <> -1 ORDER BY value, 1 LIMIT 3"
        ).fetchall()
        red = feed.execute(
            "SELECT k.scope_label, k.kpi || '.' || k.measure, k.value, a.rag FROM fact_kpi k "
            "LEFT JOIN fact_assessment a ON a.cut_key = 0 AND a.project_key = k.project_key "
            "AND a.axis = 'overall' "
            "JOIN dim_project p ON p.project_key = k.project_key "
            "WHERE k.cut_key = 0 AND k.rag = 'red' AND k.scope_kind = 'project' AND p.state <> 'closed' "
            "AND k.period = '' ORDER BY 1, 2"
        ).fetchall()
    return Health(
        sources=dict(scores),
        lowest=low,
        red=[
            Red(project=project, measure=measure, value=value, said=said)
            for project, measure, value, said in red
        ],
    )
