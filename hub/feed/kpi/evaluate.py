"""Run the catalogue on any feed: ours, or a folder of Parquet or CSV."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import ConfigError, FeedError
from hub.feed.kpi.catalogue import catalogue, prepare, rows
from hub.feed.kpi.kept import is_kept, kept_rows, redefined
from hub.feed.model import model, table_sql
from hub.feed.moment import instant
from hub.feed.stage import public_holidays
from hub.words import tr

if TYPE_CHECKING:
    import duckdb


def open_folder(folder: Path, *, country: str = "FR") -> duckdb.DuckDBPyConnection:
    """Open any feed folder: a table is ``NAME.parquet``, ``NAME.csv`` or a folder ``NAME/`` of either.

    A table that is not there is empty, a column that is not there is NULL, and without `dim_date` the days
    are generated. Raises `ConfigError` when nothing of a feed is there, `FeedError` when a value does not fit
    its column.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    seen = 0
    for name, table in model().tables.items():
        source = _reader(folder, name)
        if source is None:
            columns = ", ".join(f"NULL::{column.type} AS {one}" for one, column in table.columns.items())
            connection.execute(f"CREATE TABLE {name} AS SELECT {columns} WHERE false")
            continue
        seen += 1
        try:
            there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
            connection.execute(f"CREATE TABLE {name} AS SELECT {table.read_as(there)} FROM {source}")
        except duckdb.Error as exc:
            raise FeedError(
                tr(
                    "{folder}: the table {name} cannot be read: {answer}",
                    folder=folder,
                    name=name,
                    answer=str(exc).splitlines()[0],
                )
            ) from exc
    if not seen:
        raise ConfigError(
            tr(
                "{folder} holds no feed: there is no dim_project, fact_worklog or any other table of "
                "it, as Parquet or CSV.",
                folder=folder,
            )
        )
    if connection.execute("SELECT count(*) FROM dim_date").fetchall()[0][0] == 0:
        generate_days(connection, country)
    return connection


def _reader(folder: Path, name: str) -> str | None:
    for place, reader in (
        (folder / f"{name}.parquet", "parquet"),
        (folder / f"{name}.csv", "csv"),
        (folder / name, "parquet"),
        (folder / name, "csv"),
    ):
        if place.is_dir():
            if not any(place.rglob(f"*.{reader}")):
                continue
            place = place / "**" / f"*.{reader}"
        elif not place.is_file():
            continue
        quoted = place.as_posix().replace("'", "''")
        if reader == "parquet":
            return f"read_parquet('{quoted}', hive_partitioning = false, union_by_name = true)"
        return (
            f"read_csv('{quoted}', all_varchar = true, header = true, union_by_name = true, "
            "hive_partitioning = false)"
        )
    return None


def generate_days(connection: duckdb.DuckDBPyConnection, country: str) -> None:
    """Fill `dim_date` with the holidays of *country*.

    It reaches from a year before the first date of the feed to a year after the last.
    """
    dated = [
        (name, column)
        for name, table in model().tables.items()
        for column, facts in table.columns.items()
        if facts.type == "DATE" and name != "dim_date"
    ]
    found = " UNION ALL ".join(f"SELECT {column} AS day FROM {name}" for name, column in dated)
    low, high = connection.execute(
        f"SELECT min(year(day)), max(year(day)) FROM ({found}) WHERE year(day) BETWEEN 1990 AND 2100"
    ).fetchall()[0]
    if low is None:
        low = high = date.today().year
    low, high = low - 1, high + 1
    connection.execute("CREATE TABLE holiday (day DATE, name VARCHAR)")
    if off := public_holidays(country, range(low, high + 1), "en"):
        connection.executemany("INSERT INTO holiday VALUES (?, ?)", off)
    connection.execute(
        "CREATE TABLE period AS SELECT make_date(?, 1, 1) AS first_day, make_date(?, 12, 31) AS last_day",
        [low, high],
    )
    connection.execute("CREATE TABLE odd_days (day DATE)")
    connection.execute(
        "CREATE TABLE company_day AS SELECT d::DATE AS day, (isodow(d) <= 5 "
        "AND h.day IS NULL)::INTEGER AS is_workday "
        "FROM period p, generate_series(p.first_day, p.last_day, INTERVAL 1 DAY) g(d) "
        "LEFT JOIN holiday h ON h.day = d::DATE"
    )
    connection.execute(f"INSERT INTO dim_date BY NAME {table_sql('dim_date')}")


class Result(msgspec.Struct, kw_only=True):
    """What `evaluate` found: the day, the cut used, and the rows per KPI.

    Each row has the code or name of its scope. *kept* says that the KPIs are those the cut was kept with;
    *notes* are sentences a reader needs beside them.
    """

    as_of: str
    cut: str
    kpis: dict[str, list[dict[str, Any]]]
    kept: bool = False
    notes: list[str] = []


def _moment(
    connection: duckdb.DuckDBPyConnection, as_of: str | None
) -> tuple[tuple[Any, ...], date, datetime | None]:
    """Return the cut that *as_of* means (key, day, label, is it the latest), the day, the instant if any."""
    cuts = connection.execute(
        "SELECT cut_key, as_of, label, is_latest FROM dim_cut ORDER BY as_of, cut_key = 0, cut_key"
    ).fetchall()
    if not cuts:
        raise ConfigError(tr("This feed has no cut (dim_cut is empty), so no day to compute its KPIs at."))
    if as_of is None:
        chosen = next((cut for cut in cuts if cut[3] == 1), cuts[-1])
        return chosen, chosen[1], None
    for cut in cuts:
        if cut[2] == as_of:
            return cut, cut[1], None
    at = datetime.fromisoformat(
        instant(
            as_of, also=tr("or the label of a cut: {cuts}", cuts=", ".join(str(cut[2]) for cut in cuts[-8:]))
        )
    )
    before = [cut for cut in cuts if cut[1] <= at.date()]
    if not before:
        raise ConfigError(
            tr(
                "This feed's first cut is of {cuts}, after {date}: build one with `hub publish "
                "--as-of {date}`.",
                cuts=cuts[0][1],
                date=at.date().isoformat(),
            )
        )
    return before[-1], at.date(), at


def evaluate(connection: duckdb.DuckDBPyConnection, as_of: str | None, codes: tuple[str, ...] = ()) -> Result:
    """Compute the KPIs *codes* (all when none are named) on an open feed.

    The moment is a date, an instant or the label of a cut. The tasks, budgets and registers are those of the
    last cut at or before that day; hours and history count up to it. A cut of the past, named by its label or
    its day, is not computed again: its KPIs are those `fact_kpi` keeps of it. Raises `ConfigError` for an
    unknown KPI, label, or a day before the first cut.
    """
    known = catalogue()
    for code in codes:
        if code not in known:
            raise ConfigError(
                tr("There is no KPI {code!r}; known: {known}.", code=code, known=", ".join(known))
            )
    chosen, day, at = _moment(connection, as_of)
    prepare(connection, cut=chosen[0], day=day, at=at)
    result = Result(as_of=day.isoformat(), cut=str(chosen[2]), kpis={})
    keeps = f"SELECT count(*) FROM fact_kpi WHERE cut_key = {int(chosen[0])}"
    result.kept = chosen[3] != 1 and day == chosen[1] and bool(connection.execute(keeps).fetchall()[0][0])
    if chosen[1] < day:
        result.notes.append(
            tr(
                "Tasks, budgets and registers are those of {cut!r} of {as_of}; hours and "
                "history are as known now, up to {day}.",
                cut=chosen[2],
                as_of=chosen[1],
                day=day,
            )
        )
    codes_of = dict(connection.execute("SELECT project_key, code FROM dim_project").fetchall())
    left_out = []
    for code in codes or tuple(known):
        # the calendar is no KPI of a cut
        kept = result.kept and known[code].scope != "calendar"
        if kept and not is_kept(known[code]):
            left_out.append(code)
            result.kpis[code] = []
            continue
        if kept and (note := redefined(connection, known[code], chosen[0])):
            result.notes.append(note)
        found = kept_rows(connection, known[code], chosen[0]) if kept else rows(connection, code)
        for row in found:
            if "project_key" in row:
                row["project"] = codes_of.get(row["project_key"])
            for name, value in row.items():
                if isinstance(value, (date, datetime, timedelta)):
                    row[name] = str(value)
        result.kpis[code] = found
    if left_out:
        result.notes.append(
            tr(
                "A cut keeps the KPIs of projects, teams and sources of its own day: {kpis} of "
                "{cut!r} cannot be told any more.",
                kpis=", ".join(left_out),
                cut=chosen[2],
            )
        )
    return result
