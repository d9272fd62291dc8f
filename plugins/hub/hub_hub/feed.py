"""A feed of another hub, brought whole onto a DuckDB connection and held to what it says of itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from hub import SourceDataError, SourceUnavailable, model, tr

if TYPE_CHECKING:
    import duckdb

TABLES = (
    "dim_date", "dim_source", "dim_project", "dim_person", "dim_iteration", "dim_cut", "dim_status",
    "dim_task",
    "fact_task_snapshot", "fact_status_interval", "fact_assignment", "fact_task_link", "fact_sla",
    "fact_worklog", "fact_allocation_week", "fact_capacity_week", "fact_budget", "fact_register",
    "fact_checklist", "fact_assessment", "fact_rejection",
)  # fmt: skip
"""The tables that become records; what is computed from them the group computes itself."""


ASKED_OF_TOOLS = "SELECT name, plugin, last_success_at, freshness_max_s, verdict"
LATER = {"site"}
"""Columns that came to the contract after its first feeds: those of an older hub lack them."""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One source of the other hub: its *name* there, when it was last read whole, and its last *verdict*."""

    name: str
    last_success_at: datetime | None
    freshness_max_s: int | None
    verdict: str | None


class Odd(msgspec.Struct, frozen=True):
    """A row that is none of the contract: its *key*, and the *column* that holds what it cannot."""

    table: str
    key: str
    column: str
    value: Any


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed says of itself before it is read.

    Another feed has another *mark*. *built_at* is an instant where *exact*, else the end of the day it is of.
    *odd* are rows that were left out as the feed was brought.
    """

    mark: str
    built_at: datetime
    tools: tuple[Tool, ...]
    exact: bool = True
    odd: tuple[Odd, ...] = ()


class Place(Protocol):
    """Where a feed is published."""

    def facts(self) -> Facts:
        """Return what the feed says of itself now. Raises `SourceError`."""

    def bring(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Facts:
        """Make every one of `TABLES` on *connection*, all of one feed. Raises `SourceError`."""


class Staged:
    """A feed on a DuckDB connection of its own, which spills into a folder that goes with it."""

    def __init__(self, place: Place) -> None:
        """Bring the feed of *place* here."""
        import duckdb

        self._scratch = TemporaryDirectory(prefix="pm-hub-feed-")
        folder = Path(self._scratch.name)
        self.connection = duckdb.connect()
        try:
            self.connection.execute("SET TimeZone = 'UTC'")
            self.connection.execute("SET memory_limit = '1GB'")
            self.connection.execute("SET temp_directory = ?", [str(folder)])
            self.facts = place.bring(self.connection, folder)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the feed go, also where a run that is being stopped still asks."""
        import duckdb

        for _ in range(250):
            with suppress(duckdb.Error):
                self.connection.close()
                break
            self.connection.interrupt()
            time.sleep(0.02)
        self._scratch.cleanup()

    def one(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """Return the first row of *sql*; empty where there is none."""
        row = self.connection.execute(sql, list(values)).fetchone()
        return tuple(row) if row else ()


def shaped(table: str, there: Mapping[str, str] | set[str], where: str) -> str:
    """Return the select list that reads columns *there* as *table*.

    Raises `SourceDataError` where the table is of another contract: a column is not there that a feed of this
    one always had. Fields of a site are each hub's own.
    """
    facts = model().tables[table]
    must = {name for name in facts.columns if name not in LATER and not name.startswith("x_")}
    if lacking := sorted(must - set(there)):
        raise SourceDataError(
            tr(
                "{where}: {table} has no {columns}: the feed is of another contract than the {contract} that "
                "this hub reads. Bring both hubs to one version.",
                where=where,
                table=table,
                columns=", ".join(lacking),
                contract=model().contract,
            )
        )
    return facts.read_as(there)


def not_whole(where: object, problem: str) -> SourceUnavailable:
    """Return the error of a feed that is there in part."""
    return SourceUnavailable(
        tr(
            "The feed in {root} is not whole ({problem}): it is being copied or replaced, or was damaged. "
            "Nothing of it was taken; what was read before stays.",
            root=where,
            problem=problem,
        )
    )


def no_feed(where: object, reason: object) -> SourceUnavailable:
    """Return the error of a place that holds no feed."""
    return SourceUnavailable(
        tr(
            "{root} holds no feed that this account can read ({reason}): publish one there, or correct the "
            "path.",
            root=where,
            reason=reason,
        )
    )


def other_rows(table: str, rows: int, wanted: int | None) -> str:
    """Say that a table has other rows than it should have."""
    return tr("{table}: {rows} {rows:row|rows} instead of {wanted}", table=table, rows=rows, wanted=wanted)


def tools_of(rows: list[tuple[Any, ...]]) -> tuple[Tool, ...]:
    """Return the tools of rows of ``dim_source``, each with what `ASKED_OF_TOOLS` asks."""
    return tuple(
        Tool(name=name, last_success_at=_instant(last), freshness_max_s=longest, verdict=verdict)
        for name, plugin, last, longest, verdict in rows
        if plugin and name != "config"
    )


def end_of(day: date | str) -> datetime:
    """Return the last second of the *day* that a feed is of."""
    found = day if isinstance(day, date) else date.fromisoformat(day[:10])
    return datetime(found.year, found.month, found.day, 23, 59, 59, tzinfo=UTC)


def _instant(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
