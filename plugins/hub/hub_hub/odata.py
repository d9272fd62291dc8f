"""The OData address of another hub as the place of a feed, asked with a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import Context, SourceDataError, SourceUnavailable, model, tr
from hub_hub.feed import TABLES, Facts, Odd, end_of, no_feed, not_whole, other_rows, shaped, tools_of

if TYPE_CHECKING:
    import duckdb

PAGE = 20_000


class OData:
    """The feed behind *url*, the address of ``hub serve``."""

    def __init__(self, ctx: Context, url: str, token: str) -> None:
        """Ask nothing yet."""
        self.http = ctx.another_session("hub")
        self.http.credentials = {"Authorization": f"Bearer {token}"}
        self.root = url.rstrip("/").removesuffix("/odata/v4") + "/odata/v4/"

    def facts(self) -> Facts:
        """Return what the service says."""
        mark = self._mark()
        sources = self._few("dim_source")
        cuts = self._few("dim_cut")
        now = next((row.get("as_of") for row in cuts if row.get("cut_key") == 0), None)
        if now is None:
            raise no_feed(self.root, "dim_cut")
        told = ("name", "plugin", "last_success_at", "freshness_max_s", "verdict")
        rows = [tuple(one.get(name) for name in told) for one in sources]
        return Facts(mark=mark, built_at=end_of(now), tools=tools_of(rows), exact=False)

    def bring(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Facts:
        """Read every table page by page, then see that they are of one feed and that none lacks a row."""
        facts = self.facts()
        odd: list[Odd] = []
        for table in TABLES:
            before, checks = len(odd), _checks(table)
            there, said, file = set[str](), 0, scratch / f"{table}.json"
            with file.open("w", encoding="utf-8") as written:
                address: str | None = f"{self.root}{table}?$count=true"
                while address is not None:
                    answer = self._ask(address, table)
                    said = answer.get("@odata.count", said)
                    for row in answer["value"]:
                        if wrong := _odd(table, row, checks):
                            odd.append(wrong)
                            continue
                        there |= row.keys()
                        written.write(json.dumps(row) + "\n")
                    address = answer.get("@odata.nextLink")
                    if address is not None and not address.startswith(self.root):
                        # behind a proxy the service may know another name of itself
                        address = self.root + address.rpartition("/odata/v4/")[2]
            self._load(connection, table, there, file)
            found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            count = (found[0] if found else 0) + len(odd) - before
            if count != said:
                raise not_whole(self.root, other_rows(table, count, said))
            file.unlink()
        if self._mark() != facts.mark:
            raise SourceUnavailable(
                tr(
                    "{root} published another feed while this one was read. Nothing of it was taken: the "
                    "next run reads it again.",
                    root=self.root,
                )
            )
        return msgspec.structs.replace(facts, odd=tuple(odd))

    def _load(self, connection: duckdb.DuckDBPyConnection, table: str, there: set[str], file: Path) -> None:
        columns = model().tables[table].columns
        if not there:
            connection.execute(f"CREATE TABLE {table} AS SELECT {columns_of_none(table)} WHERE false")
            return
        listed = shaped(table, there, self.root)
        types = ", ".join(f"{name}: '{columns[name].type}'" for name in columns if name in there)
        place = file.as_posix().replace("'", "''")
        connection.execute(
            f"CREATE TABLE {table} AS SELECT {listed} FROM read_json('{place}', "
            f"format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = 67108864)"
        )

    def _mark(self) -> str:
        """Return the tag of the service document: it is that of a feed."""
        _, response = self.http.answer("GET", self.root, headers={"Accept": "application/json"})
        tag = response.headers.get("ETag")
        if not tag:
            raise SourceDataError(
                tr("{root} does not say which feed it shows: it is no `hub serve`.", root=self.root)
            )
        if response.headers.get("pm-hub-rows") == "some":
            raise SourceDataError(
                tr(
                    "{root}: the token shows the rows of one person, and a group needs all of them. Make one "
                    "without --person.",
                    root=self.root,
                )
            )
        return str(tag)

    def _few(self, table: str) -> list[dict[str, Any]]:
        return [row for row in self._ask(f"{self.root}{table}", table)["value"] if isinstance(row, dict)]

    def _ask(self, address: str, table: str) -> dict[str, Any]:
        # an int64 fits into what JSON of Python reads, so numbers need no quotes
        answer = self.http.get_json(
            address,
            route=table,
            headers={
                "Accept": "application/json;odata.metadata=minimal",
                "Prefer": f"odata.maxpagesize={PAGE}",
            },
        )
        if not isinstance(answer, dict) or not isinstance(answer.get("value"), list):
            raise SourceDataError(
                tr("{root} does not say which feed it shows: it is no `hub serve`.", root=self.root)
            )
        return answer


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _parses(date.fromisoformat, value)


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and _parses(datetime.fromisoformat, value)


def _parses(parse: Callable[[str], Any], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "BIGINT": _is_whole, "DOUBLE": _is_number, "DATE": _is_day, "TIMESTAMPTZ": _is_moment,
    "VARCHAR": lambda value: isinstance(value, str),
}  # fmt: skip


def _checks(table: str) -> dict[str, Callable[[Any], bool]]:
    """Return for each column of *table* what says whether a value is of its type."""
    columns = model().tables[table].columns
    return {name: _CHECKS.get(column.type, _is_number) for name, column in columns.items()}


def _odd(table: str, row: Any, checks: dict[str, Callable[[Any], bool]]) -> Odd | None:
    """Return what is wrong with a row: one value of another type costs it, and no other."""
    if not isinstance(row, dict):
        return Odd(table, "", "", row)
    for name, value in row.items():
        if value is not None and name in checks and not checks[name](value):
            return Odd(table, f"{next(iter(row.values()))}", name, value)
    return None


def columns_of_none(table: str) -> str:
    """Return the select list of *table* with no column of a file behind it."""
    return model().tables[table].read_as(())
