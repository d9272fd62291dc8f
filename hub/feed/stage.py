"""Bring the store's rows into DuckDB, and resolve projects, people and what counts.

The rows are as they are or as they were known.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hub.columns import columns_of
from hub.errors import FeedError
from hub.placement import DUCKDB_FOLD, here, place
from hub.records import BY_TABLE
from hub.store.engines import Engine, StoreAt, Streams, engine_of
from hub.store.store import COMPLETE, as_of_sql
from hub.words import tr

if TYPE_CHECKING:
    import duckdb

# what each table of the feed needs of the store; key, id, source_id and presence always come along
_NEEDED: dict[str, tuple[str, ...]] = {
    "container": ("code", "name", "kind", "url", "archived", "seconds_per_day"),
    "account": ("display_name", "email", "login", "kind", "active"),
    "iteration": ("container_id", "name", "state", "start_at", "finish_at", "completed_at"),
    "task": (
        "container_id", "parent_id", "code", "wbs", "title", "url", "kind", "nature", "type_raw",
        "status_raw", "resolution_raw",
        "priority_raw", "status_native", "assignee_id", "iteration_id", "created_at", "planned_start_on",
        "planned_finish_on",
        "actual_start_on", "actual_finish_on", "due_on", "percent", "estimate_s", "spent_s", "remaining_s",
        "points", "labels", "reporter_id", "resolved_at", "deadline_on", "constraint_type", "constraint_on",
        "is_critical", "is_blocked", "duration_s", "total_slack_s", "free_slack_s", "cost_minor",
        "actual_cost_minor", "remaining_cost_minor", "currency", "notes",
        "recorded_at", "run_id",
    ),
    "assignment": (
        "task_id", "account_id", "units", "start_on", "finish_on", "planned_s", "actual_s", "remaining_s",
        "cost_minor", "actual_cost_minor", "remaining_cost_minor", "currency",
    ),
    "task_change": ("task_id", "field", "from_value", "to_value", "at", "author_id"),
    "baseline": ("task_id", "no", "captured_at", "origin", "start_on", "finish_on", "effort_s", "cost_minor",
                 "currency", "run_id"),
    "worklog": (
        "task_id", "container_id", "account_id", "day", "seconds", "category", "billable", "origin",
        "approval", "updated_at", "finish_on",
    ),
    "allocation": ("account_id", "task_id", "container_id", "kind", "start_on", "finish_on", "seconds"),
    "capacity": ("account_id", "container_id", "start_on", "finish_on", "weekdays", "seconds", "units"),
    "task_link": ("from_id", "to_id", "type", "lag_s"),
    "budget_line": ("project_code", "month", "kind", "category", "is_capex", "amount_minor", "currency"),
    "register_item": (
        "project_code", "kind", "title", "state", "probability", "impact", "exposure_minor", "currency",
        "owner_id",
        "opened_on", "due_on", "closed_on", "asked_of",
    ),
    "checklist_item": ("project_code", "task_id", "list", "label", "mandatory", "state"),
    "sla_cycle": ("task_id", "name", "metric", "start_at", "stop_at", "goal_s", "elapsed_s", "breached"),
    "custom_value": ("row_id", "field", "text", "number", "day"),
    "project": ("code", "parent_code", "level", "name", "phase", "state", "manager_id", "customer",
                "currency"),
    "project_link": ("project_code", "container_id", "filter", "facets"),
    "team": ("name",),
    "person": (
        "display_name", "email", "employee_no", "team", "role", "is_external", "timesheet_expected",
        "calendar_id", "fte",
        "active_from", "active_to",
    ),
    "person_link": ("account_id", "person_id", "state"),
    "task_match": ("plan_task_id", "exec_task_id", "state"),
    "calendar": ("code", "country", "subdivision", "week_mask", "seconds_per_day"),
    "calendar_day": ("calendar", "day", "seconds"),
    "rate": ("scope", "scope_id", "valid_from", "valid_to", "minor_per_day", "currency"),
    "fx_rate": ("currency", "month", "per_eur"),
    "target": ("kpi", "measure", "scope_id", "goal", "amber", "red", "direction", "valid_from",
               "in_weather"),
    "status_map": ("source", "container_id", "status_raw", "category"),
    "sla_goal": ("project_code", "nature", "priority", "metric", "goal_s"),
    "assessment": ("project_code", "day", "axis", "rag", "trend", "comment", "author", "commentary"),
    "access": ("user_principal", "project_code", "team"),
    "site_field": ("field", "level", "source", "native", "type", "personal", "value_map"),
    "field_value": ("value_map", "value", "shown"),
    "access_group": ("group_name", "member"),
}  # fmt: skip
# rows the feed can do without: the store keeps the history of every field, the feed uses a few of them
_WHERE = {
    "task_change": "field IN ('status', 'issuetype', 'type', 'sprint', 'points') OR author_id IS NOT NULL",
    "custom_value": "field IN ('components', 'fixVersions', 'pm-hub: baseline', 'pm-hub: site', "
    "'pm-hub: leaves out') "
    "OR EXISTS (SELECT 1 FROM site_field) "
    "OR EXISTS (SELECT 1 FROM project_link WHERE filter <> '') "
    "OR EXISTS (SELECT 1 FROM project_link_history WHERE filter <> '')",
}
# what the reader asks for now, of whatever moment the feed is
_AS_NOW = {"site_field", "field_value"}
_PLAIN = {
    "rejection": (
        "first_seen",
        ("id", "source_id", "record", "container", "place", "field", "value", "reason", "seconds",
         "amount_minor", "currency", "first_seen", "accepted_at"),
    ),
    "period_close": ("sealed_at", ("month", "sealed_at", "method")),
    "period_line": (
        "(SELECT sealed_at FROM period_close c WHERE c.month = period_line.month)",
        ("month", "kind", "row_id", "project_key", "task_key", "day", "category", "flag", "approval",
         "seconds", "days", "amount_minor"),
    ),
    "period_variance": (
        "posted_at",
        ("seq", "sealed_month", "posted_on", "kind", "row_id", "project_key", "task_key", "category", "flag",
         "approval", "seconds", "days",
         "amount_minor", "reason"),
    ),
}  # fmt: skip
# what no record class declares
_ELSE = {"days": "REAL", "amount_minor": "INTEGER", "seconds": "INTEGER", "seq": "INTEGER",
         "project_key": "INTEGER",
         "task_key": "INTEGER", "run_id": "INTEGER", "method": "INTEGER", "flag": "INTEGER", "key": "INTEGER",
         "seconds_per_day": "INTEGER", "freshness_max_s": "INTEGER"}  # fmt: skip
_SENTINELS = {"REAL": "0.5", "INTEGER": "-1", "TEXT": "''"}
_TYPES = {"REAL": "double precision", "INTEGER": "bigint", "TEXT": "text"}


def _kind(table: str, name: str) -> str:
    declared = columns_of(BY_TABLE[table]).get(name) if table in BY_TABLE else None
    return declared.sql_type if declared else _ELSE.get(name, "TEXT")


def _typed(table: str, names: tuple[str, ...], sql: str, *, declares: bool) -> str:
    """Return the query of the rows of *sql*, whose columns have the types that the feed counts on.

    Where the database *declares* none, ADBC takes a column's type from its first row: one of constants.
    """
    if declares:
        shown = ", ".join(f"CAST({name} AS {_TYPES[_kind(table, name)]}) AS {name}" for name in names)
        return f"SELECT 0 AS _first, {shown} FROM ({sql}) rows"
    first = ", ".join(f"{_SENTINELS[_kind(table, name)]} AS {name}" for name in names)
    return f"SELECT 1 AS _first, {first} UNION ALL SELECT 0, {', '.join(names)} FROM ({sql}) rows"


@contextmanager
def _opened(engine: Engine) -> Iterator[Streams]:
    """Read a store in one transaction: a sync that goes on meanwhile is not seen in part."""
    import adbc_driver_manager as adbc

    try:
        with engine.snapshot() as stream:
            yield stream
    except adbc.Error as exc:
        raise FeedError(
            tr("The store {path} cannot be read: {error}.", path=engine.where, error=exc)
        ) from exc


def open_duckdb(
    scratch: Path, memory_mb: int, *, threads: int | None = None, on_disk: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with *memory_mb* at most, spilling to *scratch*, and *threads* (None: as it likes).

    *on_disk* its tables lie there from the beginning, compressed: what memory holds of them can be given up
    without being written. Tables in memory have to be written out, whole and as they are.
    """
    import duckdb

    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = duckdb.connect(str(scratch / "feed.duckdb") if on_disk else ":memory:")
    run = connection.execute
    run(f"SET memory_limit = '{int(memory_mb)}MB'")
    run("SET temp_directory = ?", [str(scratch)])
    run("SET preserve_insertion_order = false")
    run("SET enable_progress_bar = false")  # which DuckDB shows where a process has no script, as a worker
    run("SET TimeZone = 'UTC'")
    if threads:
        run(f"SET threads = {int(threads)}")
    return connection


def _rows_sql(table: str, as_of: str | None, where: str = "") -> tuple[str, tuple[str, ...]]:
    """Return the query of what the feed needs of *table*, of the rows that *where* says, and its columns."""
    if table in _PLAIN:
        stamp, names = _PLAIN[table]
        until = f"<= '{as_of}'" if as_of else "IS NOT NULL"
        sql = f"SELECT {', '.join(names)} FROM {table} WHERE {stamp} {until}"
        return (f"{sql} AND {where}" if where else sql), names
    names = ("key", "id", *_NEEDED[table], "source_id", "presence")
    sql = as_of_sql(table, None if table in _AS_NOW else as_of, names)
    if needed := " AND ".join(one for one in (_WHERE.get(table), where) if one):
        sql = f"SELECT * FROM ({sql}) rows WHERE {needed}"
    return sql, names


def _load(
    to: duckdb.DuckDBPyConnection, stream: Streams, table: str, sql: str, names: tuple[str, ...], *,
    declares: bool,
) -> None:  # fmt: skip
    counted = f", {here()} AS counted" if "presence" in names else ""
    with stream(_typed(table, names, sql, declares=declares)) as batches:  # noqa: F841 - DuckDB finds it by its name
        to.execute(
            f"CREATE TABLE {table} AS SELECT * EXCLUDE (_first){counted} FROM batches WHERE _first = 0"
        )


def _first_row(to: duckdb.DuckDBPyConnection, stream: Streams, sql: str) -> tuple[Any, ...]:
    with stream(sql) as batches:  # noqa: F841 - DuckDB finds it by its name
        return to.execute("SELECT * FROM batches").fetchone() or ("",)


_LAST = "SELECT last FROM clock"
_SITE_NAME = r"""
CREATE MACRO site_name(address) AS CASE WHEN lower(address) LIKE 'http%://%'
    THEN rtrim(regexp_replace(lower(address), '^(https?://[^/]*?):(80|443)(/|$)', '\1\3'), '/') END
"""


def read_range(
    to: duckdb.DuckDBPyConnection, engine: Engine, table: str, *, as_of: str | None, stamp: str, where: str
) -> None:
    """Make *table* on *to* with the rows of *store* that *where* says, as of *as_of*.

    Whoever reads a table in several transactions reads one moment: where the store went on after *stamp*,
    the last one it knew when the build began, the rows are those of *stamp*.
    """
    with _opened(engine) as stream:
        if as_of is None and str(_first_row(to, stream, _LAST)[0]) != stamp:
            as_of = stamp
        _load(to, stream, table, *_rows_sql(table, as_of, where), declares=engine.declares)


def reads_hubs(store: StoreAt) -> bool:
    """Say whether a source reads another hub's feed: what counts once is then decided over all rows."""
    import duckdb

    with duckdb.connect() as to, _opened(engine_of(store)) as stream:
        return bool(_first_row(to, stream, "SELECT count(*) AS hubs FROM source WHERE kind = 'hub'")[0])


def statements() -> list[tuple[str, str]]:
    """Return the statements of resolve/ in their order, each with the table it makes or changes."""
    found = []
    for path in sorted((files("hub.feed") / "resolve").iterdir(), key=lambda one: one.name):
        for statement in path.read_text(encoding="utf-8").split(";\n"):
            bare = re.sub(r"--[^\n]*", "", statement).split(maxsplit=3)
            if bare:
                found.append((bare[1] if bare[0] == "UPDATE" else bare[2], statement))
    return found


def empty_of(statement: str) -> str:
    """Return a ``CREATE TABLE … AS`` that makes the same table without a row."""
    head, query = re.split(r"\bAS\b", re.sub(r"--[^\n]*", "", statement), maxsplit=1)
    return f"{head} AS SELECT * FROM ({query}) WHERE false"


class Apart(Protocol):
    """What reads the heavy tables of the store, and resolves their rows, in shares (`hub.feed.parts`)."""

    def read(self, ranges: dict[str, list[str]], *, as_of: str | None, stamp: str, rows: int) -> None:
        """Begin to read the rows that *ranges* say, by table."""

    def ranges_of(self, rows: int) -> int:
        """Return in how many ranges a table of *rows* is read."""

    def have_read(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Show the rows to *connection*, which has each table without a row."""

    def resolve(self, connection: duckdb.DuckDBPyConnection, variables: dict[str, Any]) -> None:
        """Run resolve/ for what is not in the shares."""


def _is_large(engine: Engine, memory_mb: int) -> bool:
    """Say whether the tables of a feed of this store would take more than *memory_mb*, by its bytes.

    A store of a million hours has 212 MB, and its tables in memory had come to 550 MB halfway.
    """
    if engine.path is not None:
        return engine.path.stat().st_size > _SHARE_OF_MEMORY * memory_mb * 1e6
    with engine.reader() as connection:
        return engine.size(connection) > _SHARE_OF_MEMORY * memory_mb * 1e6


_SHARE_OF_MEMORY = 0.5
_APART = {"worklog": "false", "allocation": "false", "period_line": "kind <> 'hours'"}
"""What the builder reads itself of the tables that are read apart."""


class Staged:
    """A DuckDB connection with the store's rows on it.

    *outside_s* is the time spent reading, outside DuckDB.
    """

    def __init__(
        self, store: StoreAt, *, as_of: str | None, scratch: Path, memory_mb: int, apart: Apart | None = None
    ) -> None:
        """Open DuckDB with at most *memory_mb* and read *store* in one transaction, hours by *apart*."""
        self.as_of = as_of
        self.apart = apart
        self.outside_s = 0.0
        engine = engine_of(store)
        self.connection = open_duckdb(scratch, memory_mb, on_disk=_is_large(engine, memory_mb))
        self._read(engine)

    def close(self) -> None:
        """Close DuckDB."""
        self.connection.close()

    def _read(self, engine: Engine) -> None:
        self.declares = engine.declares
        with _opened(engine) as stream:
            stamp = str(_first_row(self.connection, stream, _LAST)[0])
            self.moment = self.as_of or stamp
            (hub,) = _first_row(self.connection, stream, "SELECT hub FROM clock")
            self.connection.execute("SET VARIABLE hub = ?", [hub])
            mine = _APART if self.apart is not None else {}
            if self.apart is not None:
                self._hand_out(self.apart, stream, stamp)
            for table in (*_NEEDED, *_PLAIN):
                self._load(stream, table, *_rows_sql(table, self.as_of, mine.get(table, "")))
            until = f"<= '{self.as_of}'" if self.as_of else "IS NOT NULL"
            self._load(
                stream, "source",
                "SELECT key, id, kind, base_url, seconds_per_day, freshness_max_s, "
                "(SELECT max(finished_at) FROM sync_run r "
                f"WHERE r.source_id = source.id AND {COMPLETE} "
                f"AND finished_at {until}) AS last_success_at, "
                "(SELECT verdict FROM sync_run r WHERE r.source_id = source.id "
                f"AND finished_at {until} ORDER BY id DESC LIMIT 1) AS verdict FROM source "
                "WHERE EXISTS (SELECT 1 FROM sync_run r WHERE r.source_id = source.id "
                f"AND r.started_at {until})",
                ("key", "id", "kind", "base_url", "seconds_per_day", "freshness_max_s", "last_success_at",
                 "verdict"),
            )  # fmt: skip
        if self.apart is not None:
            self.apart.have_read(self.connection)

    def _hand_out(self, apart: Apart, stream: Streams, stamp: str) -> None:
        """Cut the heavy tables into ranges of keys, sealed hours into months, and let them be read."""
        ranges, total = {}, 0
        for table in ("worklog", "allocation"):
            low, high = _first_row(
                self.connection, stream,
                f"SELECT coalesce(min(key), 0) AS low, coalesce(max(key), 0) AS high FROM {table}",
            )  # fmt: skip
            rows = high - low + 1
            total += rows
            n = apart.ranges_of(rows)
            edges = [low + rows * one // n for one in range(1, n)]
            ranges[table] = key_ranges(edges)
        with stream("SELECT month FROM period_close") as batches:  # noqa: F841 - DuckDB finds it by its name
            months = self.connection.execute("SELECT month FROM batches ORDER BY month").fetchall()
        ranges["period_line"] = [f"kind = 'hours' AND month = '{month}'" for (month,) in months]
        apart.read(ranges, as_of=self.as_of, stamp=stamp, rows=total)

    def _load(self, stream: Streams, table: str, sql: str, names: tuple[str, ...]) -> None:
        began = time.perf_counter()
        _load(self.connection, stream, table, sql, names, declares=self.declares)
        self.outside_s += time.perf_counter() - began

    def resolve(self, *, variables: dict[str, Any], country: str, lang: str) -> None:
        """Find every row's project, person, status, price and what counts.

        *variables* are texts the SQL asks for.
        """
        run = self.connection.execute
        for name, value in variables.items():
            run(f"SET VARIABLE {name} = ?", [value])
        run(DUCKDB_FOLD)
        run(_SITE_NAME)
        if self.apart is None:  # shares are not cut where another hub is read (`reads_hubs`)
            self._run_file(files("hub.feed") / "twins.sql")
        place(self.connection)
        if self.apart is None:
            self._run_file(files("hub.feed") / "twin_sums.sql")
        run("UPDATE task SET counted = false WHERE counted AND id IN (SELECT task_id FROM task_gone)")
        self._calendars(country=country, lang=lang, today=date.fromisoformat(variables["as_of_day"]))
        if self.apart is not None:
            self.apart.resolve(self.connection, variables)
            return
        for _, statement in statements():
            run(statement)

    def _run_file(self, path: Traversable) -> None:
        for statement in path.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                self.connection.execute(statement)

    def _calendars(self, *, country: str, lang: str, today: date) -> None:
        """Make the days' range, the public holidays, and the working days of the company.

        Every calendar gets its working days too.
        """
        run = self.connection.execute
        run(
            "CREATE TABLE all_days AS SELECT DISTINCT day::DATE AS day FROM worklog "
            "UNION SELECT DISTINCT finish_on::DATE FROM worklog WHERE finish_on IS NOT NULL "
            "UNION SELECT DISTINCT start_on::DATE FROM allocation "
            "UNION SELECT DISTINCT finish_on::DATE FROM allocation "
            "UNION SELECT DISTINCT planned_start_on::DATE FROM task WHERE planned_start_on IS NOT NULL "
            "UNION SELECT DISTINCT coalesce(planned_finish_on, due_on)::DATE FROM task "
            "WHERE coalesce(planned_finish_on, due_on) IS NOT NULL "
            "UNION SELECT DISTINCT left(finish_at, 10)::DATE FROM iteration WHERE finish_at IS NOT NULL "
            "UNION SELECT DISTINCT left(completed_at, 10)::DATE FROM iteration "
            "WHERE completed_at IS NOT NULL "
            "UNION SELECT DISTINCT start_on::DATE FROM baseline WHERE start_on IS NOT NULL "
            "UNION SELECT DISTINCT finish_on::DATE FROM baseline WHERE finish_on IS NOT NULL "
            "UNION SELECT as_of::DATE FROM other_cut "
            "UNION SELECT DISTINCT strptime(date_key::VARCHAR, '%Y%m%d')::DATE FROM cut_evm_month "
            "UNION SELECT posted_on::DATE FROM period_variance UNION SELECT ?", [today],
        )  # fmt: skip
        run(
            "CREATE TABLE period AS SELECT date_trunc('year', min(day))::DATE AS first_day, "
            "(date_trunc('year', max(day)) + INTERVAL 1 YEAR - INTERVAL 1 DAY)::DATE AS last_day "
            "FROM all_days WHERE year(day) BETWEEN 1990 AND 2100"
        )
        run("CREATE TABLE odd_days AS SELECT day FROM all_days WHERE year(day) NOT BETWEEN 1990 AND 2100")
        found = run("SELECT year(first_day), year(last_day) FROM period").fetchone()
        assert found is not None
        years = range(found[0], found[1] + 1)
        run("CREATE TABLE holiday (day DATE, name VARCHAR)")
        if off := public_holidays(country, years, lang):  # at once: DuckDB takes a millisecond a call
            days, names = ([*column] for column in zip(*off, strict=True))
            run("INSERT INTO holiday SELECT unnest(?::DATE[]), unnest(?::VARCHAR[])", [days, names])
        run("CREATE TABLE work_day (calendar VARCHAR, day DATE, seconds BIGINT, usual BOOLEAN)")
        calendars = run(
            "SELECT code, country, subdivision, week_mask, seconds_per_day FROM calendar WHERE counted"
        ).fetchall()
        if not any(code.lower() == "default" for code, *_ in calendars):
            calendars.append(("default", country, None, "1111100", 25200))
        run("CREATE TEMP TABLE closed (day DATE)")
        for code, land, part, mask, seconds in calendars:
            run("DELETE FROM closed")
            name = "default" if code.lower() == "default" else code
            if off := public_holidays(land or country, years, lang, part):
                run("INSERT INTO closed SELECT unnest(?::DATE[])", [[day for day, _ in off]])
            run(
                "INSERT INTO work_day SELECT ?, d::DATE, CASE WHEN substr(?, isodow(d)::INTEGER, 1) = '1' "
                "AND c.day IS NULL THEN ? ELSE 0 END, true "
                "FROM period p, generate_series(p.first_day, p.last_day, INTERVAL 1 DAY) g(d) "
                "LEFT JOIN closed c ON c.day = d::DATE",
                [name, mask, seconds],
            )
        run(
            "UPDATE work_day SET seconds = c.seconds, usual = false FROM calendar_day c "
            "WHERE c.counted AND lower(c.calendar) = lower(work_day.calendar) AND c.day::DATE = work_day.day"
        )
        run(
            "CREATE TABLE company_day AS SELECT day, (seconds > 0)::INTEGER AS is_workday FROM work_day "
            "WHERE calendar = 'default'"
        )


def key_ranges(edges: Sequence[int]) -> list[str]:
    """Return the conditions that cut keys at *edges*, which ascend: every key is in one."""
    if not edges:
        return ["true"]
    between = [f"key >= {low} AND key < {high}" for low, high in itertools.pairwise(edges)]
    return [f"key < {edges[0]}", *between, f"key >= {edges[-1]}"]


def public_holidays(
    country: str, years: range, lang: str, subdivision: str | None = None
) -> list[tuple[date, str]]:
    """Return the public holidays of *country* (an ISO code).

    Raises `FeedError` for a country the library lacks.
    """
    import holidays

    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision, years=list(years), language={"fr": "fr", "en": "en_US"}[lang]
        )
    except NotImplementedError as exc:
        part = tr(" with the subdivision {subdivision!r}", subdivision=subdivision) if subdivision else ""
        raise FeedError(
            tr(
                "country = {country!r}{part} is not an ISO code with known public holidays, such as FR.",
                country=country,
                part=part,
            )
        ) from exc
    return sorted(found.items())
