"""Bring the store's rows into DuckDB, as they are or as they were known, and resolve projects and what counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from hub.errors import FeedError
from hub.store.store import as_of_sql

LEFT = "('deleted', 'trashed')"
# what each table of the feed needs of the store; key, id, source_id and presence always come along
_NEEDED: dict[str, tuple[str, ...]] = {
    "container": ("code", "name", "kind", "url", "archived", "seconds_per_day"),
    "account": ("display_name", "email", "login", "kind"),
    "iteration": ("container_id", "name", "state", "start_at", "finish_at", "completed_at"),
    "task": (
        "container_id", "parent_id", "code", "wbs", "title", "url", "kind", "nature", "type_raw", "status_native",
        "assignee_id", "iteration_id", "created_at", "planned_start_on", "planned_finish_on", "actual_start_on",
        "actual_finish_on", "due_on", "percent", "estimate_s", "spent_s", "remaining_s", "points",
    ),
    "baseline": ("task_id", "no", "origin", "start_on", "finish_on", "effort_s", "cost_minor", "currency"),
    "worklog": (
        "task_id", "container_id", "account_id", "day", "seconds", "category", "billable", "origin", "approval", "updated_at",
    ),
    "allocation": ("account_id", "container_id", "kind", "start_on", "finish_on", "seconds"),
    "task_link": ("from_id", "to_id", "type", "lag_s"),
    "budget_line": ("project_code", "month", "kind", "category", "is_capex", "amount_minor", "currency"),
    "register_item": (
        "project_code", "kind", "title", "state", "probability", "impact", "exposure_minor", "currency", "owner_id",
        "opened_on", "due_on", "closed_on",
    ),
    "checklist_item": ("project_code", "task_id", "list", "mandatory", "state"),
    "project": ("code", "parent_code", "level", "name", "phase", "state", "manager_id", "customer", "currency"),
    "project_link": ("project_code", "container_id", "filter", "facets"),
}  # fmt: skip
_REAL = {"percent", "points", "probability"}
_INTEGER = {"key", "archived", "seconds_per_day", "no", "seconds", "billable", "lag_s", "is_capex", "impact", "mandatory"}

_DERIVED = f"""
CREATE TABLE linked AS
    SELECT c.id AS container_id, min(l.project_code) AS project_code, arg_min(l.facets, l.project_code) AS facets
    FROM project_link l JOIN container c ON l.container_id IN (c.id, c.source_id || ':' || c.code, c.source_id || ':' || c.name)
    WHERE l.counted GROUP BY 1;
CREATE TABLE alone AS
    SELECT c.id, c.code, c.name, c.archived, (c.kind <> 'plan')::INTEGER * 1000000000000 + c.key AS rank,
        -1 - min(c.key) OVER (PARTITION BY lower(coalesce(c.code, c.id))) AS project_key
    FROM container c WHERE c.counted AND NOT EXISTS (SELECT 1 FROM project WHERE counted);
CREATE TABLE place AS
    SELECT c.id AS container_id, CASE WHEN NOT c.counted THEN -1 ELSE coalesce(p.key, same.key, a.project_key, -1) END AS project_key,
        coalesce(c.seconds_per_day, s.seconds_per_day) AS seconds_per_day,
        coalesce(nullif(l.facets, ''), '*') AS facets, facets = '*' OR list_contains(str_split(facets, ','), 'effort') AS effort,
        facets = '*' OR list_contains(str_split(facets, ','), 'baseline') AS baseline,
        facets = '*' OR list_contains(str_split(facets, ','), 'actuals') AS actuals,
        facets <> '*' AND list_contains(str_split(facets, ','), 'actuals') AS plan_actuals
    FROM container c JOIN source s ON s.id = c.source_id LEFT JOIN linked l ON l.container_id = c.id
    LEFT JOIN project p ON p.code = l.project_code AND p.counted
    LEFT JOIN project same ON l.container_id IS NULL AND lower(same.code) = lower(c.code) AND same.counted
        AND same.level IN ('project', 'workstream')
    LEFT JOIN alone a ON a.id = c.id;
CREATE TABLE project_code AS
    SELECT code, key AS project_key FROM project WHERE counted AND level IN ('project', 'workstream')
    UNION ALL SELECT code, max(project_key) FROM alone WHERE code IS NOT NULL GROUP BY code;
CREATE VIEW worklog_place AS
    SELECT w.*, coalesce(w.container_id, t.container_id) AS in_container, coalesce(p.project_key, -1) AS project_key,
        CASE WHEN w.presence IN {LEFT} THEN w.presence WHEN coalesce(t.presence, '') IN {LEFT} THEN 'task ' || t.presence
            WHEN NOT coalesce(c.counted, true) THEN 'container ' || c.presence
            WHEN w.origin = 'plan' AND NOT coalesce(p.plan_actuals, false) THEN 'actual work of a plan, not a timesheet'
            WHEN w.origin = 'timesheet' AND NOT coalesce(p.actuals, true) THEN 'another container is the authority for actuals'
        END AS reason
    FROM worklog w LEFT JOIN task t ON t.id = w.task_id
        LEFT JOIN container c ON c.id = coalesce(w.container_id, t.container_id)
        LEFT JOIN place p ON p.container_id = coalesce(w.container_id, t.container_id);
CREATE VIEW budget_place AS
    SELECT b.*, coalesce(c.project_key, -1) AS project_key, CASE WHEN NOT b.counted THEN b.presence
        WHEN b.currency <> getvariable('currency') THEN 'no exchange rate for ' || b.currency END AS reason
    FROM budget_line b LEFT JOIN project_code c ON c.code = b.project_code;
CREATE TABLE excluded AS
    SELECT 'seconds' AS measure, reason, count(*) AS n, sum(seconds)::BIGINT AS amount FROM worklog_place WHERE reason IS NOT NULL GROUP BY reason
    UNION ALL SELECT 'tasks', CASE WHEN t.presence IN {LEFT} THEN t.presence ELSE 'container ' || c.presence END, count(*), count(*)
        FROM task t LEFT JOIN container c ON c.id = t.container_id WHERE NOT t.counted GROUP BY 2
    UNION ALL SELECT 'amount_minor', reason, count(*), sum(amount_minor)::BIGINT FROM budget_place WHERE reason IS NOT NULL GROUP BY reason;
"""


def _sentinel(name: str) -> str:
    """Give a typed constant: ADBC takes a column's type from its first row."""
    if name in _REAL:
        return "0.5"
    integer = name in _INTEGER or name.endswith(("_s", "_minor"))
    return "-1" if integer else "''"


@contextmanager
def _statement(adbc: Any, connection: Any, sql: str) -> Iterator[Any]:
    """Run *sql* on SQLite and give its rows as a stream of Arrow batches."""
    statement = adbc.AdbcStatement(connection)
    try:
        statement.set_options(**{"adbc.sqlite.query.batch_rows": "32768"})
        statement.set_sql_query(sql)
        stream, _ = statement.execute_query()
        yield stream
        stream.release()
    finally:
        statement.close()


class Staged:
    """A DuckDB connection with the store's rows on it; *outside_s* is the time spent reading, outside DuckDB."""

    def __init__(self, store: Path, *, as_of: str | None, scratch: Path, memory_mb: int) -> None:
        """Open DuckDB with at most *memory_mb* and read *store* in one transaction."""
        self.connection = duckdb.connect()
        self.as_of = as_of
        self.outside_s = 0.0
        scratch.mkdir(parents=True, exist_ok=True)
        run = self.connection.execute
        run(f"SET memory_limit = '{int(memory_mb)}MB'")
        run("SET temp_directory = ?", [str(scratch)])
        run("SET preserve_insertion_order = false")
        run("SET TimeZone = 'UTC'")
        self._read(store)

    def close(self) -> None:
        """Close DuckDB."""
        self.connection.close()

    def _read(self, path: Path) -> None:
        import adbc_driver_manager as adbc
        import adbc_driver_sqlite

        try:
            database = adbc.AdbcDatabase(driver=adbc_driver_sqlite._driver_path(), uri=path.resolve().as_uri() + "?mode=ro")
            connection = adbc.AdbcConnection(database)
        except adbc.Error as exc:
            raise FeedError(f"The store {path} cannot be opened for reading: {exc}.") from exc
        try:
            connection.set_autocommit(False)  # one transaction: a sync that goes on meanwhile is not seen in part
            self.moment = self._one(adbc, connection, "SELECT last FROM clock", "last")
            for table, needed in _NEEDED.items():
                names = ("key", "id", *needed, "source_id", "presence")
                self._load(adbc, connection, table, as_of_sql(table, self.as_of, names), names)
            success = "finished_at <= '" + self.as_of + "'" if self.as_of else "1"
            self._load(
                adbc, connection, "source",
                "SELECT key, id, kind, seconds_per_day, freshness_max_s, (SELECT max(finished_at) FROM sync_run r "
                f"WHERE r.source_id = source.id AND r.verdict = 'ok' AND {success}) AS last_success_at FROM source",
                ("key", "id", "kind", "seconds_per_day", "freshness_max_s", "last_success_at"),
            )  # fmt: skip
        except adbc.Error as exc:
            raise FeedError(f"The store {path} cannot be read: {exc}.") from exc
        finally:
            connection.close()
            database.close()

    def _one(self, adbc: Any, connection: Any, sql: str, name: str) -> str:
        with _statement(adbc, connection, sql) as stream:  # noqa: F841 - DuckDB finds it by its name
            row = self.connection.execute(f"SELECT {name} FROM stream").fetchone()
        return str(row[0]) if row else ""

    def _load(self, adbc: Any, connection: Any, table: str, sql: str, names: tuple[str, ...]) -> None:
        began = time.perf_counter()
        first = ", ".join(f"{_sentinel(name)} AS {name}" for name in names)
        counted = f", presence NOT IN {LEFT} AS counted" if "presence" in names else ""
        query = f"SELECT 1 AS _first, {first} UNION ALL SELECT 0, {', '.join(names)} FROM ({sql})"
        with _statement(adbc, connection, query) as stream:  # noqa: F841 - DuckDB finds it by its name
            self.connection.execute(
                f"CREATE TABLE {table} AS SELECT * EXCLUDE (_first){counted} FROM stream WHERE _first = 0"
            )
        self.outside_s += time.perf_counter() - began

    def derive(self, *, variables: dict[str, Any]) -> None:
        """Resolve projects, authorities and what counts; *variables* are texts the SQL asks for."""
        run = self.connection.execute
        for name, value in variables.items():
            run(f"SET VARIABLE {name} = ?", [value])
        run(
            "UPDATE task SET counted = false FROM container c WHERE c.id = task.container_id AND NOT c.counted AND task.counted"
        )
        for statement in _DERIVED.split(";\n"):
            if statement.strip():
                run(statement)

    def calendar(self, *, country: str, lang: str, today: date) -> None:
        """Make the days' range and the public holidays of *country* for `dim_date`."""
        run = self.connection.execute
        run(
            "CREATE TABLE all_days AS SELECT DISTINCT day::DATE AS day FROM worklog UNION SELECT DISTINCT start_on::DATE FROM allocation "
            "UNION SELECT DISTINCT planned_start_on::DATE FROM task WHERE planned_start_on IS NOT NULL "
            "UNION SELECT DISTINCT planned_finish_on::DATE FROM task WHERE planned_finish_on IS NOT NULL "
            "UNION SELECT DISTINCT finish_on::DATE FROM baseline WHERE finish_on IS NOT NULL UNION SELECT ?", [today],
        )  # fmt: skip
        run(
            "CREATE TABLE period AS SELECT date_trunc('year', min(day))::DATE AS first_day, "
            "(date_trunc('year', max(day)) + INTERVAL 1 YEAR - INTERVAL 1 DAY)::DATE AS last_day "
            "FROM all_days WHERE year(day) BETWEEN 1990 AND 2100"
        )
        run("CREATE TABLE odd_days AS SELECT day FROM all_days WHERE year(day) NOT BETWEEN 1990 AND 2100")
        years = run("SELECT year(first_day), year(last_day) FROM period").fetchone()
        assert years is not None
        run("CREATE TABLE holiday (day DATE, name VARCHAR)")
        if found := public_holidays(country, range(years[0], years[1] + 1), lang):
            self.connection.executemany("INSERT INTO holiday VALUES (?, ?)", found)


def public_holidays(country: str, years: range, lang: str) -> list[tuple[date, str]]:
    """Give the public holidays of *country* (an ISO code). Raises `FeedError` for a country the library lacks."""
    import holidays

    try:
        found = holidays.country_holidays(country, years=list(years), language={"fr": "fr", "en": "en_US"}[lang])
    except NotImplementedError as exc:
        raise FeedError(f"country = {country!r} is not an ISO code with known public holidays, such as FR.") from exc
    return sorted(found.items())
