"""Open mirroring of Fabric as a destination: numbered Parquet files that say what changed in each table.

Source: learn.microsoft.com/fabric/mirroring/open-mirroring-landing-zone-format. A file is applied in the
order of its number; a row carries ``__rowMarker__`` in its last column, 4 to insert or update and 2 to
delete; the first file has none. Fabric moves away what it has read and leaves the last file. What was written
is kept beside the store, so that after a death the next delivery knows what is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import msgspec

from hub import (
    Check,
    Delivery,
    DeliveryContext,
    DeliveryError,
    FeedView,
    folder_check,
    mark,
    model,
    tr,
    write_atomically,
)
from hub_powerbi.lake import LakeDestination
from hub_powerbi.service.onelake import RESOURCE, Files, LocalFiles, OneLakeFiles
from hub_powerbi.service.web import Web

MARKER = "__rowMarker__"
UPSERT, DELETE = 4, 2
CURRENT, PENDING, CHANGES, STATE = "current.parquet", "pending.parquet", "changes.parquet", "state.json"


class State(msgspec.Struct):
    """What is known of a table in the landing zone.

    Its last file, one that may be there, and what its columns are.
    """

    last: int = 0
    pending: int | None = None
    shape: dict[str, str] = {}


class MirrorDestination(LakeDestination, frozen=True, kw_only=True):
    """The landing zone of a mirrored database.

    Its address in OneLake (*url*, with *account*), or a folder (*path*) that something else brings there.
    """

    kind: ClassVar[str] = "fabric-mirror"
    wants: ClassVar[str] = mark("a landing zone")
    begins: ClassVar[tuple[str, ...]] = ("https://", "http://127.0.0.1:")

    def _files(self, ctx: DeliveryContext) -> Files:
        if self.url is None or self.account is None:
            return LocalFiles(ctx.resolve(self.path or ""))
        return OneLakeFiles(Web(ctx, self.account, self.name, RESOURCE), self.url)

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the landing zone can be seen, or the folder be written."""
        if self.url is None:
            yield folder_check(ctx.resolve(self.path or ""))
            return
        self._files(ctx).names("")
        yield Check(name="landing zone", state="ok", detail=tr("{url} can be read", url=self.url))

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write what changed in each table since the last file, a table at a time."""
        files, home = self._files(ctx), ctx.base / "data" / "mirror" / self.name
        rows, written = {}, 0
        try:
            for table in feed.tables:
                written += _Table(files, home / table, table, feed).deliver()
                ((rows[table],),) = feed.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        except OSError as exc:
            raise DeliveryError(
                tr(
                    "{where} or {home} could not be written ({reason}): it is read-only, or the disk is "
                    "full. What was written stays, the next delivery goes on from there.",
                    where=self.where(ctx),
                    home=home,
                    reason=exc.strerror,
                )
            ) from exc
        note = (
            tr(
                "{written} {written:table has|tables have} a new file; Fabric shows them when it has "
                "read it.",
                written=written,
            )
            if written
            else tr("No table changed.")
        )
        return Delivery(where=self.where(ctx), rows=rows, notes=(note,))


class _Table:
    """One table of the landing zone; *home* is where we keep what was written of it."""

    def __init__(self, files: Files, home: Path, table: str, feed: FeedView) -> None:
        self.files, self.home, self.table, self.feed = files, home, table, feed
        shape = model().tables[table]
        self.columns, self.key = list(shape.columns), list(shape.key)
        self.shape = {"key": ",".join(self.key)} | {
            name: column.type for name, column in shape.columns.items()
        }
        self.state = State()

    def deliver(self) -> bool:
        """Write a file if something changed; say whether."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._recover()
        first = self.state.last == 0
        self._write(self.home / PENDING, f"SELECT {', '.join(self.columns)} FROM {self.table}")
        if first:
            self._write(self.home / CHANGES, f"SELECT {', '.join(self.columns)} FROM {self.table}")
        elif not self._write(self.home / CHANGES, self._changes()):
            return False
        number = self.state.last + 1
        self._keep(pending=number)
        if first:
            self._put_text("_metadata.json", json.dumps({"keyColumns": self.key}))
        self.files.put(f"{self.table}/{number:020d}.parquet", self.home / CHANGES)
        self._confirm(number)
        return True

    def _recover(self) -> None:
        """Find out what is there.

        What a death left behind half-way, what somebody removed, whether the table has another shape now.
        """
        try:
            self.state = msgspec.json.decode((self.home / STATE).read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            self.state = State()
        there = max(
            (
                int(name[:20])
                for name in self.files.names(self.table)
                if name[:20].isdigit() and name.endswith(".parquet")
            ),
            default=0,
        )
        if self.state.pending is not None:
            if there >= self.state.pending:
                self._confirm(self.state.pending)
            else:
                self._keep(pending=None)
        known = self.state.last > 0 and self._can_be_read(self.home / CURRENT)
        if there > self.state.last and known:
            raise DeliveryError(
                tr(
                    "{table} of the landing zone has the file {there}, and the last of ours is {last}: "
                    "another program writes there. Give each its own mirrored database.",
                    table=self.table,
                    there=there,
                    last=self.state.last,
                )
            )
        if there != self.state.last or not known or (self.state.shape and self.state.shape != self.shape):
            # Fabric drops a table whose folder goes, and makes it anew with the next first file
            if there or self.state.last:
                self.files.remove(self.table)
            self.state = State()
            (self.home / CURRENT).unlink(missing_ok=True)
            self._keep(pending=None)

    def _confirm(self, number: int) -> None:
        if (self.home / PENDING).exists():
            os.replace(self.home / PENDING, self.home / CURRENT)
        self.state.last = number
        self._keep(pending=None)

    def _changes(self) -> str:
        old = f"(SELECT {', '.join(self.columns)} FROM read_parquet('{_quoted(self.home / CURRENT)}'))"
        same = " AND ".join(f"n.{name} = o.{name}" for name in self.key)
        differs = (
            " OR ".join(
                f"n.{name} IS DISTINCT FROM o.{name}" for name in self.columns if name not in self.key
            )
            or "false"
        )
        gone = ", ".join(f"o.{name}" if name in self.key else f"NULL AS {name}" for name in self.columns)
        return (
            f"SELECT {', '.join(f'n.{name}' for name in self.columns)}, {UPSERT}::INTEGER AS {MARKER} "
            f"FROM {self.table} n LEFT JOIN {old} o ON {same} "
            f"WHERE o.{self.key[0]} IS NULL OR {differs} UNION ALL "
            f"SELECT {gone}, {DELETE}::INTEGER FROM {old} o WHERE NOT EXISTS (SELECT 1 "
            f"FROM {self.table} n WHERE {same})"
        )

    def _can_be_read(self, path: Path) -> bool:
        import duckdb

        try:
            self.feed.connection.execute(f"SELECT count(*) FROM read_parquet('{_quoted(path)}')")
        except duckdb.Error:  # not there, or a disk lost it
            return False
        return True

    def _write(self, path: Path, query: str) -> int:
        ((count,),) = self.feed.connection.execute(
            f"COPY ({query}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        path.chmod(0o600)
        with path.open("rb") as written:  # it must be on the disk before the state speaks of it
            os.fsync(written.fileno())
        return int(count)

    def _put_text(self, name: str, text: str) -> None:
        place = self.home / name
        with write_atomically(place) as file:
            file.write(text.encode())
        self.files.put(f"{self.table}/{name}", place)

    def _keep(self, *, pending: int | None) -> None:
        self.state.pending, self.state.shape = pending, self.shape
        with write_atomically(self.home / STATE) as file:
            file.write(msgspec.json.encode(self.state))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
