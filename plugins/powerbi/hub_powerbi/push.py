"""A push semantic model of Power BI, for a workspace that can read no file.

Rows are sent, and a table that changed is emptied and sent again.

Source: the Power BI REST API's own specification (push datasets) and
learn.microsoft.com/power-bi/developer/embedded/push-datasets-limitations. No row of it can be corrected, and
Microsoft lets nobody make such a model after 31 October 2027 (service-real-time-streaming): everything else
is better where it can be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from hub import (
    Check,
    ConfigError,
    Delivery,
    DeliveryContext,
    DeliveryError,
    DeliveryGone,
    DeliveryUnavailable,
    Destination,
    Entra,
    FeedView,
    mark,
    model,
    tr,
    write_atomically,
)
from hub_powerbi.content import fingerprint
from hub_powerbi.names import LEFT_OUT, Names
from hub_powerbi.service.web import Web
from hub_powerbi.service.workspace import FABRIC, POWERBI, Workspace

AT_ONCE, AN_HOUR, A_TABLE, LONGEST = 10_000, 1_000_000, 5_000_000, 4000
"""Rows of one question, of one hour, of one table without a retention policy; letters of a text."""
TRIES = 3
END = mark(
    "Microsoft lets nobody make a push model after 31 October 2027, and no row of one "
    "can be corrected: bring files to SharePoint or OneLake where you can."
)
_TYPES = {
    "BIGINT": "Int64",
    "DOUBLE": "Double",
    "DECIMAL(18,2)": "Double",
    "VARCHAR": "String",
    "DATE": "DateTime",
    "TIMESTAMPTZ": "DateTime",
}


class PushDestination(Destination, frozen=True, kw_only=True):
    """A push model named *model_name* in the workspace *workspace* (an id).

    Its tables have the names that people read.
    """

    kind: ClassVar[str] = "powerbi-push"

    account: Entra
    workspace: str
    model_name: str = "Hub push"
    read_as: str | None = None
    powerbi_url: str = "https://api.powerbi.com"

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.powerbi_url.startswith(("https://", "http://127.0.0.1:")):
            raise ConfigError(tr("The destination {name}: powerbi_url is an https address.", name=self.name))

    @property
    def signs_in(self) -> tuple[Entra, str]:
        """Return the account, and Power BI."""
        return self.account, POWERBI

    def _web(self, ctx: DeliveryContext) -> Web:
        return Web(ctx, self.account, self.name, POWERBI)

    @property
    def _place(self) -> str:
        return f"{self.powerbi_url.rstrip('/')}/v1.0/myorg/groups/{self.workspace}/datasets"

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Sign in, and say what this kind of model is."""
        found = self._find(self._web(ctx))
        yield Check(
            name="workspace",
            state="ok",
            detail=tr("the model {model} is there", model=self.model_name)
            if found
            else tr("the model {model} will be made", model=self.model_name),
        )
        yield Check(name="push model", state="warning", detail=tr(END))

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Send the tables that changed, then read all of them back.

        What an interruption left behind is emptied first by the next delivery.
        """
        web, names = self._web(ctx), Names(feed.lang)
        tables = [table for table in feed.tables if table not in LEFT_OUT]
        marks = {table: fingerprint(feed, table) for table in tables}
        native, known = self._find(web), self._known(ctx)
        if native is None:
            native, known = self._make(web, names, tables), {}
        changed = [table for table in tables if known.get(table) != f"{native} {marks[table][1]}"]
        if (rows := sum(marks[table][0] for table in changed)) > AN_HOUR or max(
            (count for count, _ in marks.values()), default=0
        ) > A_TABLE:
            raise DeliveryError(
                tr(
                    "{rows} rows are more than a push model takes: {an_hour} an hour, {a_table} a table. "
                    "Bring files instead.",
                    rows=rows,
                    an_hour=AN_HOUR,
                    a_table=A_TABLE,
                )
            )
        notes = [tr(END)]
        for table in changed:
            self._keep(ctx, known := {name: mark for name, mark in known.items() if name != table})
            if self._send(
                web,
                f"{self._place}/{native}/tables/{names.tables[table]}",
                names,
                table,
                feed,
                marks[table][0],
            ):
                notes.append(
                    tr("Texts of {table} were cut at {longest} letters.", table=table, longest=LONGEST)
                )
            known[table] = f"{native} {marks[table][1]}"
        workspace = Workspace(web, web, self.workspace, fabric_url=FABRIC, powerbi_url=self.powerbi_url)
        try:
            shown = workspace.must_show(native, feed, read_as=self.read_as)
        except DeliveryError:
            self._keep(ctx, {})  # what is there is not what was sent: all of it is sent again
            raise
        self._keep(ctx, known)
        notes.append(
            tr(
                "{count} {count:table was|tables were} sent; Power BI shows {shown} "
                "{shown:row|rows}, as the feed has them.",
                count=len(changed),
                shown=shown,
            )
        )
        return Delivery(
            where=tr(
                "{model_name} in the workspace {workspace}",
                model_name=self.model_name,
                workspace=self.workspace,
            ),
            rows={table: count for table, (count, _) in marks.items()},
            notes=tuple(notes),
        )

    # ---------- inside ----------

    def _find(self, web: Web) -> str | None:
        found = [
            one["id"]
            for one in web.json("GET", self._place, route="datasets")["value"]
            if one["name"] == self.model_name
        ]
        if len(found) > 1:
            raise DeliveryError(
                tr(
                    "The workspace has {count} models named {model_name}: delete all but one.",
                    count=len(found),
                    model_name=self.model_name,
                )
            )
        return str(found[0]) if found else None

    def _make(self, web: Web, names: Names, tables: list[str]) -> str:
        shapes = [_shape(names, table) for table in tables]
        body = {"name": self.model_name, "defaultMode": "Push", "tables": shapes}
        return str(
            web.json("POST", self._place, json=body, params={"defaultRetentionPolicy": "None"}, route="make")[
                "id"
            ]
        )

    def _send(self, web: Web, place: str, names: Names, table: str, feed: FeedView, count: int) -> bool:
        """Empty a table, send its *count* rows, and say whether texts were cut.

        Begun anew where an answer got lost, since rows that are sent twice are there twice.
        """
        patience, web.session.patience_s = web.session.patience_s, 0.0
        try:
            for _ in range(TRIES):
                try:
                    web.request("PUT", place, json=_shape(names, table), route="table")
                    web.request("DELETE", f"{place}/rows", route="empty")
                    cut = False
                    for rows, shortened in _rows(names, table, feed, count):
                        web.request("POST", f"{place}/rows", json={"rows": rows}, route="rows")
                        cut = cut or shortened
                    return cut
                except DeliveryGone as exc:
                    raise DeliveryError(
                        tr(
                            "The model {model_name} has no table {tables}: it was made by another version of "
                            "the hub or in another language. Delete it and publish again.",
                            model_name=self.model_name,
                            tables=names.tables[table],
                        )
                    ) from exc
                except DeliveryUnavailable as exc:
                    web.ctx.log.info("%s is sent again: %s", table, exc)
                    web.session.pause(60.0)
        finally:
            web.session.patience_s = patience
        raise DeliveryError(
            tr(
                "{table} could not be sent whole, {tries} times: Power BI does not answer, or its "
                "120 questions a minute are used up. Publish later.",
                table=table,
                tries=TRIES,
            )
        )

    def _known(self, ctx: DeliveryContext) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(
                (ctx.base / "data" / "push" / f"{self.name}.json").read_text(encoding="utf-8")
            )
            return found
        except (OSError, ValueError):
            return {}

    def _keep(self, ctx: DeliveryContext, known: dict[str, str]) -> None:
        with write_atomically(ctx.base / "data" / "push" / f"{self.name}.json") as file:
            file.write(json.dumps(known).encode())


def _shape(names: Names, table: str) -> dict[str, Any]:
    columns = model().tables[table].columns.items()
    return {
        "name": names.tables[table],
        "columns": [
            {"name": names.columns[table][name], "dataType": _TYPES[column.type]} for name, column in columns
        ],
    }


def _rows(
    names: Names, table: str, feed: FeedView, count: int
) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Return the rows by their captions, as many at once as Power BI takes, and whether a text was cut."""
    columns = model().tables[table].columns
    shown = ", ".join(
        f"{name} AT TIME ZONE 'UTC' AS {name}" if column.type == "TIMESTAMPTZ" else name
        for name, column in columns.items()
    )
    captions = [names.columns[table][name] for name in columns]
    order = ", ".join(model().tables[table].key)
    for start in range(0, count, AT_ONCE):
        found = feed.connection.execute(
            f"SELECT {shown} FROM {table} ORDER BY {order} LIMIT {AT_ONCE} OFFSET {start}"
        ).fetchall()
        cut = any(isinstance(value, str) and len(value) > LONGEST for row in found for value in row)
        yield [dict(zip(captions, map(_cell, row), strict=True)) for row in found], cut


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    return value[:LONGEST] if isinstance(value, str) else value
