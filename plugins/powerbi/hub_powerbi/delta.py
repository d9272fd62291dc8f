"""Delta tables as a destination: a lakehouse of Fabric, or a folder.

A table whose rows are the same is not touched.

Source: delta-io.github.io/delta-rs (write_deltalake, OneLake's storage options). Instants have their zone:
without one Delta writes `timestampNtz`, which Fabric's SQL endpoint does not read
(learn.microsoft.com/fabric/fundamentals/delta-lake-interoperability).
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from hub import (
    Check,
    Delivery,
    DeliveryContext,
    DeliveryError,
    FeedView,
    MissingExtra,
    SignIn,
    folder_check,
    mark,
    model,
    tr,
)
from hub_powerbi.content import fingerprint
from hub_powerbi.lake import LakeDestination
from hub_powerbi.service.onelake import RESOURCE

MONTHLY = {
    "fact_worklog": "strftime(work_date, '%Y-%m')",
    "fact_allocation_week": "year_month",
    "fact_capacity_week": "year_month",
}
"""The tables that grow with every month, and the month of a row.

Each month is a part of its own, by the column ``year_month``: an engine reads the months it is asked for.
"""
HOW = 'pip install "pm-hub-powerbi[delta]"'
MARK = "pm-hub.content"
KEPT_S = 168 * 3600
"""How long the files of versions before are kept, which is the library's own limit."""
TIDYING = {"VACUUM START", "VACUUM END", "OPTIMIZE"}
TIDIED_AT_MOST = 200


class DeltaDestination(LakeDestination, frozen=True, kw_only=True):
    """One Delta table a table of the feed.

    In a lakehouse (*url* of its folder ``Tables``, with *account*), or below the folder *path*.
    """

    kind: ClassVar[str] = "delta"
    wants: ClassVar[str] = mark("a lakehouse's folder Tables")
    begins: ClassVar[tuple[str, ...]] = ("https://onelake.", "abfss://")

    def place_of(self, ctx: DeliveryContext, table: str) -> str:
        """Return where a table lies, as the Delta library names it."""
        if self.url is None:
            return str(ctx.resolve(self.path or "") / table)
        parts = urlsplit(self.url.rstrip("/"))
        if parts.scheme == "abfss":
            return f"{self.url.rstrip('/')}/{table}"
        workspace, _, rest = parts.path.strip("/").partition("/")
        return f"abfss://{workspace}@{parts.netloc}/{rest}/{table}"

    def options(self, ctx: DeliveryContext) -> dict[str, str]:
        """Return what opens OneLake.

        The token is asked for anew for each table, since it ends after an hour.
        """
        if self.account is None:
            return {}
        header = SignIn.of(ctx, self.account, self.name).header(RESOURCE)
        return {
            "bearer_token": header["Authorization"].removeprefix("Bearer "),
            "use_fabric_endpoint": "true",
        }

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the library is here and the place can be reached."""
        _library()
        if self.url is None:
            yield folder_check(ctx.resolve(self.path or ""))
        else:
            self.options(ctx)
            yield Check(
                name="lakehouse", state="ok", detail=tr("signed in; tables go to {url}", url=self.url)
            )

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Overwrite each table whose rows are others, in one commit a table."""
        library = _library()
        rows, written = {}, 0
        try:
            if self.path is not None:
                ctx.resolve(self.path).mkdir(parents=True, exist_ok=True)
            for table in feed.tables:
                count, content = fingerprint(feed, table)
                rows[table] = count
                written += self._bring(ctx, library, feed, table, content)
        except library.exceptions.DeltaError as exc:
            raise DeliveryError(
                tr(
                    "{url}: the Delta tables could not be written: {answer}",
                    url=self.url or self.path,
                    answer=str(exc).splitlines()[0][:300],
                )
            ) from None
        except OSError as exc:
            raise DeliveryError(
                tr(
                    "{url} could not be written ({error_type}): it is read-only, the disk is full, or "
                    "OneLake refuses.",
                    url=self.url or self.path,
                    error_type=type(exc).__name__,
                )
            ) from None
        return Delivery(
            where=self.where(ctx),
            rows=rows,
            notes=(tr("{written} {written:table has|tables have} a new version.", written=written),),
        )

    def _bring(self, ctx: DeliveryContext, library: Any, feed: FeedView, table: str, content: str) -> bool:
        place, options = self.place_of(ctx, table), self.options(ctx)
        there = library.DeltaTable.is_deltatable(place, storage_options=options)
        if there:
            table_there = library.DeltaTable(place, storage_options=options)
            written = _last_write(table_there)
            if written.get(MARK) == content:
                # who was erased is in the versions before: they go after a week, whether or not others come
                if table_there.version() and written["timestamp"] < (time.time() - KEPT_S) * 1000:
                    table_there.vacuum(dry_run=False)
                return False
        if self.path is not None:
            Path(place).mkdir(parents=True, exist_ok=True, mode=0o700)
        commit(
            library,
            place,
            feed.connection.sql(f"SELECT {', '.join(_columns(table))} FROM {table}"),
            content,
            options,
            partition_by=["year_month"] if table in MONTHLY else None,
        )
        if there:  # a week of versions stays, for readers that are at it
            library.DeltaTable(place, storage_options=options).vacuum(dry_run=False)
        return True


def _last_write(table: Any) -> dict[str, Any]:
    """Return the commit that made the rows: what only tidies up comes after it, and changes none."""
    found: list[dict[str, Any]] = table.history(TIDIED_AT_MOST)
    return next((one for one in found if one.get("operation") not in TIDYING), found[0])


def _columns(table: str) -> list[str]:
    """Return the select list of *table*, with its month where that is a part of its own."""
    columns = [*model().tables[table].columns]
    if table in MONTHLY and "year_month" not in columns:
        columns.append(f"{MONTHLY[table]} AS year_month")
    return columns


def commit(
    library: Any,
    place: str,
    relation: Any,
    content: str,
    options: dict[str, str],
    *,
    partition_by: list[str] | None = None,
) -> None:
    """Make *relation* the table's rows in one commit; columns and parts that come or go are part of it."""
    properties = library.CommitProperties(custom_metadata={MARK: content})
    library.write_deltalake(
        place,
        relation,
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=properties,
        partition_by=partition_by,
        storage_options=options,
    )


def _library() -> Any:
    try:
        return importlib.import_module("deltalake")
    except ImportError as exc:
        raise MissingExtra(tr("Delta tables need deltalake: {how}.", how=HOW)) from exc
