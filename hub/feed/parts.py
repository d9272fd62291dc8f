"""Build the rows of hours and of planned work in shares, by the same SQL, wherever a `Runner` runs it.

A share is the rows whose ids have one hash, a sealed line or a correction beside the row it was of: whatever
the SQL of `PARTED` joins or numbers stays within a share. The builder itself is one more share: that of
money, of today's prices, and of nobody's hours. Then each of these tables is the builder's rows and all the
shares' rows.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import FeedError
from hub.feed.fields import Field, fields_in_use, pivot, with_fields
from hub.feed.model import model, table_sql
from hub.feed.runner import Runner
from hub.feed.stage import empty_of, open_duckdb, read_range, statements
from hub.placement import DUCKDB_FOLD, place_hours
from hub.store.engines import Engine, engine_of
from hub.version import release
from hub.words import tr

if TYPE_CHECKING:
    import duckdb

READ_APART = ("worklog", "allocation", "period_line")
"""The tables of the store whose rows are read in shares; of sealed lines those of hours."""
ROWS_PER_SHARE = 1_000_000
"""Rows above which a share is cut in two: what a worker of a GB computes without spilling."""

PARTED = frozenset({
    "worklog_place", "planned", "span", "span_day", "span_row", "planned_day", "priced", "candidate",
    "late_line", "line", "site_value",
})  # fmt: skip
"""The tables of resolve/ whose rows a share makes."""
_FIRST = ("worklog_place", "planned")
_LAST = ("variance", "line", "excluded")
"""What the builder makes once it has every share: corrections are numbered through."""
_OUT = {
    "worklog_place": "key, id, day, seconds, category, reason, in_container, person_key, source_key, "
    "updated_at",
    "planned": "*",
    "planned_day": "*",
    "span_row": "id, person_key, source_key, updated_at",
    "late_line": "*",
    "line": "kind, row_id, day, project_key, category, flag, approval, days, amount_minor, sealed_month",
    "field_odd": "*",
}
"""What the rest of the feed reads of the shares' tables: a column that is not here is not found there."""
_NOBODY = frozenset({"worklog_place", "planned", "planned_day", "span_row"})
"""Tables of which the builder's own share has no row."""
_TOLD = {
    "task": "SELECT id, key, container_id, source_id, NULL::VARCHAR AS assignee_id FROM task",
    "custom_value": "SELECT * FROM custom_value v WHERE EXISTS (SELECT 1 FROM site_field f "
    "WHERE f.level = 'hours' AND f.source = v.source_id AND fold(f.native) = fold(v.field))",
    "period_variance": "SELECT * FROM period_variance WHERE kind = 'hours'",
    # a share has no money, prices nothing that is to do, and its fields are those of hours
    "budget_place": "SELECT * FROM budget_place WHERE false",
    "task_place": "SELECT * FROM task_place WHERE false",
    "home": "SELECT * FROM home WHERE false",
    **{
        name: f"SELECT * FROM {name}"
        for name in (
            "source", "container", "account", "person_of", "person_calendar", "work_day", "period_close",
            "place", "home_slot", "task_slot", "task_gone", "coded", "trait", "rate_at", "exchange",
            "site_field", "field_value",
        )
    },
}  # fmt: skip
"""What every share is told: small tables, and of a task where it stands."""
# an id is that of a row, with the days that the row was shared over behind it
_SHARE = (
    "(hash(CASE WHEN {id} LIKE '%@____-__-__' THEN regexp_replace({id}, '(@\\d{{4}}-\\d\\d-\\d\\d)+$', '') "
    "ELSE {id} END) % {shares})::BIGINT"
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What every piece of work is told.

    *folder* is one that the builder and all workers see. *stamp* is the last moment the store knew when the
    build began: who finds a later one reads the rows as of it. *made* names the releases that compute.
    """

    store: Engine
    folder: str
    as_of: str | None
    stamp: str
    shares: int
    memory_mb: int
    threads: int | None
    made: str = ""

    def place(self, *names: str) -> Path:
        """Return a place below the folder."""
        return Path(self.folder, *names)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a share computes with: the *variables* of the SQL, the site's *fields*, the fact's columns."""

    variables: dict[str, Any]
    fields: tuple[Field, ...]
    columns: str
    query: str


def releases() -> str:
    """Return the releases of the hub and of DuckDB: two that differ may cut shares differently."""
    import duckdb

    return f"pm-hub {release()}, DuckDB {duckdb.__version__}"


# ---------- what a worker does: it writes its files whole, so that doing it again changes nothing ---------


def read_rows(plan: Plan, table: str, number: int, where: str) -> None:
    """Read the rows of *table* that *where* says from the store, and write them by share."""
    if plan.made != releases():
        raise FeedError(
            tr(
                "A worker runs {theirs}, and the hub {ours}: install the same release on both.",
                theirs=releases(),
                ours=plan.made,
            )
        )
    with _workshop(plan) as (connection, scratch):
        read_range(connection, plan.store, table, as_of=plan.as_of, stamp=plan.stamp, where=where)
        share = _SHARE.format(id="row_id" if table == "period_line" else "id", shares=plan.shares)
        _put(
            connection, f"SELECT *, {share} AS share FROM {table}", plan.place("rows", table, str(number)),
            scratch, "COMPRESSION lz4, PARTITION_BY (share)",
        )  # fmt: skip


def compute_share(plan: Plan, told: Told, share: int) -> None:
    """Compute the tables of one share from its rows and from what all are told."""
    with _workshop(plan) as (connection, scratch):
        run = connection.execute
        for name, value in told.variables.items():
            run(f"SET VARIABLE {name} = ?", [value])
        run(DUCKDB_FOLD)
        mine = f"{_SHARE.format(id='row_id', shares=plan.shares)} = {share}"
        for name in _TOLD:
            where = mine if name == "period_variance" else "true"
            run(
                f"CREATE VIEW {name} AS SELECT * FROM read_parquet({_quoted(_told_file(plan, name))}) "
                f"WHERE {where}"
            )
        for name in READ_APART:
            run(f"CREATE TABLE {name} AS {_rows_sql(plan, name, share)}")
        place_hours(connection)
        for name, statement in statements():
            if name in PARTED:
                run(statement)
            elif name == "variance":
                run(empty_of(statement))
        pivot(connection, told.fields)
        run(f"CREATE TABLE fact_worklog ({told.columns})")
        run(f"INSERT INTO fact_worklog BY NAME {told.query}")
        outputs = {name: f"SELECT {columns} FROM {name}" for name, columns in _OUT.items()}
        outputs["line"] += " WHERE kind = 'hours'"
        # by day, so that who writes a month reads little more than it
        outputs["fact_worklog"] = "SELECT * FROM fact_worklog ORDER BY work_date"
        for name, query in outputs.items():
            size = ", ROW_GROUP_SIZE 20480" if name == "fact_worklog" else ""
            target = plan.place("out", name, f"{share}.parquet")
            _put(connection, query, target, scratch, f"COMPRESSION lz4{size}")


def write_months(plan: Plan, months: list[str], target: str) -> None:
    """Write the lines of *months* from all shares into the feed's folder *target*, ordered by key."""
    order = ", ".join(model().tables["fact_worklog"].key)
    with _workshop(plan) as (connection, scratch):
        for month in months:
            first = f"'{month}-01'::DATE"
            query = (
                f"SELECT * FROM {_parts(plan, 'fact_worklog')} WHERE work_date >= {first} "
                f"AND work_date < {first} + INTERVAL 1 MONTH ORDER BY {order}"
            )
            place = Path(target, f"year_month={month}", "data_0.parquet")
            _put(connection, query, place, scratch, "COMPRESSION zstd")


@contextlib.contextmanager
def _workshop(plan: Plan) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open DuckDB with a folder of its own, which goes with it."""
    scratch = plan.place(f"work-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        scratch.mkdir(mode=0o700)  # not its parents: a build that ended leaves nobody a place to write to
    except FileNotFoundError as exc:
        raise FeedError(
            tr(
                "A worker does not see {folder}: the store and the feed's folder have to be on a disk "
                "that all workers share.",
                folder=plan.folder,
            )
        ) from exc
    connection = open_duckdb(scratch / "duckdb", plan.memory_mb, threads=plan.threads)
    try:
        yield connection, scratch
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _put(
    connection: duckdb.DuckDBPyConnection, query: str, target: Path, scratch: Path, options: str
) -> None:
    """Make *target*, a file or a folder of shares, of *query*: whole, or not at all.

    Another worker that was given the same work may have been first.
    """
    fresh = scratch / secrets.token_hex(4)
    connection.execute(f"COPY ({query}) TO {_quoted(fresh)} (FORMAT parquet, {options})")
    for path in fresh.rglob("*.parquet") if fresh.is_dir() else [fresh]:
        path.chmod(0o600)
    target.parent.mkdir(exist_ok=True, mode=0o700)
    try:
        fresh.replace(target)
    except OSError:
        if not (fresh.is_dir() and target.is_dir()):
            raise


def _quoted(path: Path) -> str:
    return "'" + path.as_posix().replace("'", "''") + "'"


def _told_file(plan: Plan, name: str) -> Path:
    return plan.place("told", f"{name}.parquet")


def _rows_sql(plan: Plan, table: str, share: int | None = None) -> str:
    """Return the query of the rows of *table* that were read, of one share or of all."""
    pattern = "*/*/*.parquet" if share is None else f"*/share={share}/*.parquet"
    files = sorted(plan.place("rows", table).glob(pattern))
    # DuckDB takes the first file for all of them: of one without rows it would hash the hours, not the tasks
    listed = ", ".join(map(_quoted, files or [plan.place("rows", f"{table}.parquet")]))
    return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"


def _parts(plan: Plan, table: str) -> str:
    """Return what reads the rows that all shares made of *table*."""
    return f"read_parquet({_quoted(plan.place('out', table, '*.parquet'))}, hive_partitioning = false)"


# ---------- what the builder does ----------


class Parts:
    """One build in shares: hands out the work, and puts together what comes back."""

    def __init__(self, runner: Runner, store: Engine, folder: Path, *, memory_mb: int) -> None:
        """Prepare to build from *store* in *folder*, which all workers of *runner* have to see."""
        self.runner = runner
        self.memory_mb = memory_mb
        # a file is seen by all under its whole path; an address holds no secret, only where one lies
        self.store = engine_of(store.path.resolve()) if store.path is not None else store
        self.folder = folder.resolve()
        self._left: list[str] = []
        self._waiting: list[Callable[[], None]] = []
        self._computing: list[Callable[[], None]] = []
        self._writing: list[Callable[[], None]] = []

    def read(self, ranges: dict[str, list[str]], *, as_of: str | None, stamp: str, rows: int) -> None:
        """Begin to read the store: *ranges* are, by table, the conditions that cut its *rows*."""
        shares = self.ranges_of(rows)
        self.plan = Plan(
            store=self.store, folder=str(self.folder), as_of=as_of, stamp=stamp, shares=shares,
            memory_mb=self.memory_mb, threads=self.runner.threads, made=releases(),
        )  # fmt: skip
        for name in (*(f"rows/{table}" for table in READ_APART), "told", *(f"out/{n}" for n in _OUT)):
            self.plan.place(name).mkdir(parents=True, mode=0o700)
        self._waiting = [
            self.runner.start(read_rows, self.plan, table, number, where)
            for table, conditions in ranges.items()
            for number, where in enumerate(conditions)
        ]

    def ranges_of(self, rows: int) -> int:
        """Return in how many ranges a table of *rows* is read."""
        return self.runner.shares or max(2 * self.runner.workers, -(-rows // ROWS_PER_SHARE))

    def have_read(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wait for the rows, and show them to *connection*, which holds a table of each kind without them."""
        for table in READ_APART:
            shape = self.plan.place("rows", f"{table}.parquet")
            connection.execute(f"COPY (SELECT * FROM {table} LIMIT 0) TO {_quoted(shape)} (FORMAT parquet)")
        for wait in self._waiting:
            wait()
        for table in ("worklog", "allocation"):
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"CREATE VIEW {table} AS {_rows_sql(self.plan, table)}")

    def resolve(self, connection: duckdb.DuckDBPyConnection, variables: dict[str, Any]) -> None:
        """Run resolve/ for the builder's own share, and hand out the others as soon as they can be made."""
        begun: set[str] = set()
        for name, statement in statements():
            if name == "priced":
                self._hand_out(connection, variables)
            if name in _LAST:
                self._left.append(statement)
            elif name in _FIRST and name not in begun:
                connection.execute(empty_of(statement))
            else:
                connection.execute(statement)
            begun.add(name)

    def _hand_out(self, connection: duckdb.DuckDBPyConnection, variables: dict[str, Any]) -> None:
        run = connection.execute
        for name, query in _TOLD.items():
            run(f"COPY ({query}) TO {_quoted(_told_file(self.plan, name))} (FORMAT parquet, COMPRESSION lz4)")
        shape = model().tables["fact_worklog"]
        told = Told(
            variables=variables, fields=fields_in_use(),
            columns=", ".join(f"{name} {column.type}" for name, column in shape.columns.items()),
            query=with_fields("fact_worklog", table_sql("fact_worklog")),
        )  # fmt: skip
        self._computing = [
            self.runner.start(compute_share, self.plan, told, share) for share in range(self.plan.shares)
        ]
        # the builder's own share: no hours
        run("ALTER TABLE period_variance RENAME TO whole_variance")
        run("CREATE TABLE period_variance AS SELECT * FROM whole_variance WHERE kind <> 'hours'")

    def together(self, connection: duckdb.DuckDBPyConnection, feed: Path | None) -> None:
        """Wait for the shares and put them beside the builder's own rows; begin to write hours to *feed*."""
        run = connection.execute
        for wait in self._computing:
            wait()
        run("DROP TABLE period_variance")
        run("ALTER TABLE whole_variance RENAME TO period_variance")
        for name in ("late_line", "worklog_place", "span_row"):
            self._widen(connection, name)
        variance, line, *rest = self._left
        run(variance)
        run(line)
        shape = model().tables["fact_worklog"]
        columns = ", ".join(f"{name} {column.type}" for name, column in shape.columns.items())
        run(f"CREATE TABLE fact_worklog ({columns})")
        run(f"INSERT INTO fact_worklog BY NAME {with_fields('fact_worklog', table_sql('fact_worklog'))}")
        own = self.plan.place("out", "fact_worklog", "own.parquet")
        run(f"COPY fact_worklog TO {_quoted(own)} (FORMAT parquet, COMPRESSION lz4)")
        run("DROP TABLE fact_worklog")
        run(f"CREATE VIEW fact_worklog AS SELECT * FROM {_parts(self.plan, 'fact_worklog')}")
        for name in _OUT.keys() - {"late_line", "worklog_place", "span_row"}:
            self._widen(connection, name)
        sealed = _rows_sql(self.plan, "period_line")
        run("ALTER TABLE period_line RENAME TO own_period_line")
        run(f"CREATE VIEW period_line AS SELECT * FROM own_period_line UNION ALL BY NAME {sealed}")
        for statement in rest:
            run(statement)
        if feed is not None:
            self._write(connection, feed)

    def _write(self, connection: duckdb.DuckDBPyConnection, feed: Path) -> None:
        """Begin to write the months of hours."""
        found = connection.execute(
            "SELECT DISTINCT strftime(work_date, '%Y-%m') FROM fact_worklog ORDER BY 1"
        ).fetchall()
        months = [month for (month,) in found]
        target = feed.resolve() / "fact_worklog"
        if months:
            target.mkdir(mode=0o700)
        self._writing = [
            self.runner.start(write_months, self.plan, months[at :: self.plan.shares], str(target))
            for at in range(min(len(months), self.plan.shares))
        ]

    def written(self) -> tuple[str, ...]:
        """Wait for what the workers write; gives the tables that they wrote."""
        for wait in self._writing:
            wait()
        return ("fact_worklog",) if self._writing else ()

    def _widen(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        run = connection.execute
        columns = _OUT[name]
        parts = f"SELECT {columns} FROM {_parts(self.plan, name)}"
        if name in _NOBODY:
            run(f"DROP TABLE {name}")
            run(f"CREATE VIEW {name} AS {parts}")
            return
        run(f"ALTER TABLE {name} RENAME TO own_{name}")
        run(f"CREATE VIEW {name} AS SELECT {columns} FROM own_{name} UNION ALL BY NAME {parts}")


_OF_FACTS = frozenset({"kpi_row", "kpi_evm_days", "forecast_row", "driver_row", "access_row"})
"""What the builder makes of whole tables of the feed."""


def waits_for(tables: dict[str, str]) -> list[str]:
    """Return which of *tables*, each with its SQL, need the shares: by name, or through another of them."""
    late = {*PARTED, *_LAST, *READ_APART, *_OF_FACTS, "field_odd", "fact_worklog"} - {"site_value", "priced"}
    while True:
        found = {name for name, sql in tables.items() if {*re.findall(r"\w+", sql)} & late} - late
        if not found:
            return [name for name in tables if name in late]
        late |= found
