"""Write forecasts as the rows of `fact_forecast` and `fact_forecast_driver`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hub.feed.model import plain_model

if TYPE_CHECKING:
    import duckdb

    from hub.feed.forecast.engine import Each, Forecast, Moment


def fill(connection: duckdb.DuckDBPyConnection, day: date | None, each: Each = map) -> None:
    """Make ``forecast_row`` and ``driver_row`` for now, which is *day*; empty without one.

    *each* simulates projects. numpy is loaded only where a task or a cut is there to be forecast.
    """
    for table, name in (("fact_forecast", "forecast_row"), ("fact_forecast_driver", "driver_row")):
        columns = ", ".join(
            f"{one} {facts.type}" for one, facts in plain_model().tables[table].columns.items()
        )
        connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
    if day is None or not connection.execute("SELECT 1 FROM fact_task_snapshot LIMIT 1").fetchall():
        return
    from hub.feed.forecast.engine import forecast
    from hub.feed.forecast.reading import moments

    known = moments(connection, day)
    found = forecast(known, each=each)
    by_cut = {one.cut: one for one in known}
    _insert(connection, "forecast_row", [row_of(one, by_cut[one.cut]) for one in found])
    _insert(connection, "driver_row", [
        {"project_key": one.project, "task_key": driver.task, "criticality": driver.criticality,
         "early_days": driver.early, "late_days": driver.late}
        for one in found for driver in one.drivers
    ])  # fmt: skip


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:  # at once: DuckDB takes a millisecond a call
        names = list(rows[0])
        kinds = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
        values = ", ".join(f"unnest(?::{kinds[name]}[]) AS {name}" for name in names)
        connection.execute(
            f"INSERT INTO {table} BY NAME SELECT {values}", [[row[name] for row in rows] for name in names]
        )


def row_of(one: Forecast, moment: Moment) -> dict[str, Any]:
    """Return the row of a forecast that was made at *moment*."""
    known = moment.projects[one.project]
    is_finish = one.topic == "finish"
    percents = {f"p{chance}": one.at(chance / 100) for chance in (50, 80, 95)}
    own, _ = moment.observed.of(one.project)
    return {
        "cut_key": one.cut, "project_key": one.project, "topic": one.topic, "as_of": day_of(one.day),
        "method": one.method,
        **{f"{name}_date": day_of(value) if is_finish else None for name, value in percents.items()},
        "target_date": day_of(one.target) if is_finish else None,
        "limit_date": day_of(one.limit) if is_finish else None,
        "actual_date": day_of(one.outcome) if is_finish else None,
        **{f"{name}_amount": None if is_finish else _money(value) for name, value in percents.items()},
        "mean_amount": None if is_finish else _money(one.mean),
        "start_amount": None if is_finish or known.cost is None else _money(known.cost.spent),
        "target_amount": None if is_finish else _money(one.target),
        "actual_amount": None if is_finish else _money(one.outcome),
        "chance_target": _share(one.chance_of(one.target)), "chance_limit": _share(one.chance_of(one.limit)),
        "is_ended": int(one.ended), "outcomes": one.record, "is_record_thin": int(one.is_thin),
        "flow_weight": one.weight if one.method == "blend" else None,
        "items_open": known.flow.open if known.flow else None,
        "items_done": int(known.flow.done.sum()) if known.flow else None,
        "weeks": len(known.flow.done) if known.flow else None,
        "tasks_observed": moment.observed.n, "ratio_observed": float(f"{2.718281828459045**own:.4f}"),
    }  # fmt: skip


def day_of(number: float) -> date | None:
    """Return the day with *number* since 1970-01-01; None for what has no end or is not known."""
    return date(1970, 1, 1) + timedelta(days=round(number)) if -1e6 < number < 1e6 else None


def _money(value: float) -> float | None:
    return round(value, 2) if abs(value) < 1e15 else None


def _share(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 4)
