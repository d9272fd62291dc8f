"""The KPI catalogue: one SQL file a figure with its definition, run on any feed, ours or a folder of Parquet or CSV."""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from hub.errors import ConfigError, FeedError
from hub.feed.model import model, table_sql
from hub.feed.moment import instant
from hub.feed.stage import public_holidays

SCOPES = ("project", "source", "team", "person", "task", "calendar")


class Measure(msgspec.Struct, frozen=True):
    """One number of a figure: *unit* is days, amount, hours, ratio, count, points, score, flag or duration.

    Days of work can be added up; a duration is in days too, and of several projects there is no sum. A *text* and a *moment* (which grows by the second) stay out of `fact_kpi`.
    """

    name: str
    unit: str
    numerator: str | None = None
    denominator: str | None = None


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the catalogue.

    *scope* is what one row is about; *period* and *split* name the columns that tell rows of one scope apart.
    *rollup* (scope, select list) makes a figure of a wider scope from rows about persons or tasks.
    *headline* is the measure to show first; *coverage* and *method* name columns; *receipt* names the rows behind it.
    """

    code: str
    fr: str
    en: str
    scope: str
    definition: str
    sql: str
    measures: tuple[Measure, ...]
    headline: str
    period: str | None = None
    split: str | None = None
    rollup: tuple[str, str] | None = None
    coverage: str | None = None
    method: str | None = None
    receipt: tuple[str, ...] = ()
    edge_cases: str = ""
    source: str = ""


def _kpi(code: str, text: str) -> Kpi:
    head = [line[2:].rstrip() for line in text.splitlines() if line.startswith("--")]
    fr, _, en = head[0].partition("|")
    facts: dict[str, str] = {}
    last = ""
    for line in head[1:]:
        key, found, value = line.strip().partition(": ")
        if found and not line.startswith("   ") and re.fullmatch("[a-z ]+", key):
            facts[key] = value
            last = key
        elif last:
            facts[last] += " " + line.strip()
    measures = []
    for part in facts["measures"].split(", "):
        name, unit, *ratio = part.split(" ")
        numerator, denominator = (ratio[1], ratio[3]) if ratio else (None, None)
        measures.append(Measure(name, unit, numerator, denominator))
    scope, _, select = facts.get("rollup", "").partition(" | ")
    return Kpi(
        code=code, fr=fr.strip(), en=en.strip(), scope=facts["scope"], definition=facts["definition"], sql=text, measures=tuple(measures),
        headline=facts.get("headline", measures[0].name), period=facts.get("period"), split=facts.get("split"),
        rollup=(scope, select) if select else None, coverage=facts.get("coverage"), method=facts.get("method"),
        receipt=tuple(facts["receipt"].split(", ")) if "receipt" in facts else (), edge_cases=facts.get("edge cases", ""),
        source=facts.get("source", ""),
    )  # fmt: skip


_MORE: dict[str, Kpi] = {}


def register(code: str, text: str) -> None:
    """Add a figure to the catalogue: *text* is its SQL with the header. Raises `ConfigError` for a taken code or a header that lacks something."""
    if not re.fullmatch("[A-Z][A-Z0-9_]*", code) or code in _shipped():
        raise ConfigError(
            f"The figure {code!r} cannot be added: its code is capital letters, digits and _, and not one that the catalogue has."
        )
    try:
        found = _kpi(code, text)
    except (KeyError, IndexError, ValueError) as exc:
        raise ConfigError(
            f"The figure {code!r} cannot be added: its header needs a title, scope, measures and definition ({exc})."
        ) from exc
    if found.scope not in SCOPES:
        raise ConfigError(
            f"The figure {code!r} cannot be added: its scope {found.scope!r} is not one of {', '.join(SCOPES)}."
        )
    _MORE[code] = found


def catalogue() -> dict[str, Kpi]:
    """Give every figure by its code, those of plugins last."""
    return {**_shipped(), **_MORE}


@functools.cache
def _shipped() -> dict[str, Kpi]:
    folder = files("hub.feed") / "kpis"
    found = {}
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.name.endswith(".sql") and path.name != "base.sql":
            code = path.name.removesuffix(".sql")
            found[code] = _kpi(code, path.read_text(encoding="utf-8"))
    return found


def prepare(
    connection: duckdb.DuckDBPyConnection, *, cut: int, day: date, at: datetime | None = None, keep: bool = False
) -> None:
    """Point the figures at *cut* and *day* (inclusive, its end in UTC unless the instant *at* says otherwise).

    *keep* computes what several figures stand on once, for who computes them all.
    """
    moment = at or datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET VARIABLE cut = ?::BIGINT", [cut])
    connection.execute("SET VARIABLE as_of = ?::DATE", [day])
    connection.execute("SET VARIABLE as_of_at = ?::TIMESTAMPTZ", [moment])
    for statement in (files("hub.feed") / "kpis" / "base.sql").read_text(encoding="utf-8").split(";\n"):
        if keep and "VIEW kpi_work" not in statement:  # a million rows need no second copy
            statement = statement.replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TABLE")
        if statement.strip():
            connection.execute(statement)


def rows(connection: duckdb.DuckDBPyConnection, code: str) -> list[dict[str, Any]]:
    """Give the rows of the figure *code*, on a connection that was prepared."""
    found = connection.execute(catalogue()[code].sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


# ---------- any folder ----------


def open_folder(folder: Path, *, country: str = "FR") -> duckdb.DuckDBPyConnection:
    """Open any feed folder: a table is ``NAME.parquet``, ``NAME.csv`` or a folder ``NAME/`` of either.

    A table that is not there is empty, a column that is not there is NULL, and without `dim_date` the days are generated.
    Raises `ConfigError` when nothing of a feed is there, `FeedError` when a value does not fit its column.
    """
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
            columns = ", ".join(
                f"{one}::{column.type} AS {one}" if one in there else f"NULL::{column.type} AS {one}"
                for one, column in table.columns.items()
            )
            connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM {source}")
        except duckdb.Error as exc:
            raise FeedError(f"{folder}: the table {name} cannot be read: {str(exc).splitlines()[0]}") from exc
    if not seen:
        raise ConfigError(
            f"{folder} holds no feed: there is no dim_project, fact_worklog or any other table of it, as Parquet or CSV."
        )
    if connection.execute("SELECT count(*) FROM dim_date").fetchall()[0][0] == 0:
        generate_days(connection, country)
    return connection


def _reader(folder: Path, name: str) -> str | None:
    for place, reader in (
        (folder / f"{name}.parquet", "parquet"), (folder / f"{name}.csv", "csv"), (folder / name, "parquet"), (folder / name, "csv"),
    ):  # fmt: skip
        if place.is_dir():
            if not any(place.rglob(f"*.{reader}")):
                continue
            place = place / "**" / f"*.{reader}"
        elif not place.is_file():
            continue
        quoted = place.as_posix().replace("'", "''")
        if reader == "parquet":
            return f"read_parquet('{quoted}', hive_partitioning = false, union_by_name = true)"
        return f"read_csv('{quoted}', all_varchar = true, header = true, union_by_name = true, hive_partitioning = false)"
    return None


def generate_days(connection: duckdb.DuckDBPyConnection, country: str) -> None:
    """Fill `dim_date` from a year before the first date of the feed to a year after the last, with the holidays of *country*."""
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
        "CREATE TABLE period AS SELECT make_date(?, 1, 1) AS first_day, make_date(?, 12, 31) AS last_day", [low, high]
    )
    connection.execute("CREATE TABLE odd_days (day DATE)")
    connection.execute(
        "CREATE TABLE company_day AS SELECT d::DATE AS day, (isodow(d) <= 5 AND h.day IS NULL)::INTEGER AS is_workday "
        "FROM period p, generate_series(p.first_day, p.last_day, INTERVAL 1 DAY) g(d) LEFT JOIN holiday h ON h.day = d::DATE"
    )
    connection.execute(f"INSERT INTO dim_date BY NAME {table_sql('dim_date')}")


class Result(msgspec.Struct, kw_only=True):
    """What `evaluate` found: the day, the cut used, and the rows per figure, each row with the code or name of its scope."""

    as_of: str
    cut: str
    kpis: dict[str, list[dict[str, Any]]]


def evaluate(connection: duckdb.DuckDBPyConnection, as_of: str | None, codes: tuple[str, ...] = ()) -> Result:
    """Compute the figures *codes* (all when none are named) on an open feed, at a date, an instant or the label of a cut.

    The tasks, budgets and registers are those of the last cut at or before that day; hours and history count up to it.
    Raises `ConfigError` for an unknown figure, label, or a day before the first cut.
    """
    known = catalogue()
    for code in codes:
        if code not in known:
            raise ConfigError(f"There is no figure {code!r}; known: {', '.join(known)}.")
    cuts = connection.execute(
        "SELECT cut_key, as_of, label, is_latest FROM dim_cut ORDER BY as_of, cut_key = 0, cut_key"
    ).fetchall()
    if not cuts:
        raise ConfigError("This feed has no cut (dim_cut is empty), so no day to compute its figures at.")
    at: datetime | None = None
    chosen = next((cut for cut in cuts if as_of is not None and cut[2] == as_of), None)
    if as_of is None:
        chosen = next((cut for cut in cuts if cut[3] == 1), cuts[-1])
    if chosen is not None:
        day = chosen[1]
    else:
        assert as_of is not None
        stamp = instant(as_of, also="or the label of a cut: " + ", ".join(str(cut[2]) for cut in cuts[-8:]))
        at = datetime.fromisoformat(stamp)
        day = at.date()
        before = [cut for cut in cuts if cut[1] <= day]
        if not before:
            raise ConfigError(
                f"This feed's first cut is of {cuts[0][1]}, after {day}: build one with `hub publish --as-of {day}`."
            )
        chosen = before[-1]
    prepare(connection, cut=chosen[0], day=day, at=at)
    result = Result(as_of=day.isoformat(), cut=str(chosen[2]), kpis={})
    codes_of = dict(connection.execute("SELECT project_key, code FROM dim_project").fetchall())
    for code in codes or tuple(known):
        found = rows(connection, code)
        for row in found:
            if "project_key" in row:
                row["project"] = codes_of.get(row["project_key"])
            for name, value in row.items():
                if isinstance(value, (date, datetime, timedelta)):
                    row[name] = str(value)
        result.kpis[code] = found
    return result
