"""When a project will land and for how much, as chances, with the record of earlier forecasts beside them.

The engine is pure numpy, which only a build and `hub forecast` load; `reading` asks, `filling` writes.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from hub.feed.forecast.engine import Each


def forecast_rows(connection: duckdb.DuckDBPyConnection, cut: int, day: date, each: Each = map) -> None:
    """Make ``forecast_row`` and ``driver_row`` on a feed whose facts of tasks, time and money are filled.

    Only now, cut 0, is forecast; past cuts are forecast again beside it, as known then.
    *each* simulates the projects, here or elsewhere.
    """
    from hub.feed.forecast.filling import fill

    fill(connection, day if cut == 0 else None, each)
