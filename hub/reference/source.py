"""The built-in source `config`: CSV files a PMO edits in Excel, synced like any other source.

So the portfolio has history, presence and runs too, and a feed as of a past day sees the portfolio of that
day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from hub.cells import RULES
from hub.context import Context
from hub.errors import SourceDataError
from hub.files import FileState
from hub.records import Record, SiteField
from hub.reference.sheet import Sheet
from hub.reference.sheets import SHEETS
from hub.source import Batch, Check, Partition, Scope, Source
from hub.words import tr, trn

_SHEET: dict[str, Sheet] = {sheet.file: sheet for sheet in SHEETS}


class ConfigSource(Source, frozen=True, kw_only=True):
    """The reference data beside the configuration; *folder* holds the CSV files."""

    kind: ClassVar[str] = "config"
    provides: ClassVar[tuple[type[Record], ...]] = tuple(
        dict.fromkeys(record for sheet in SHEETS for record in sheet.records)
    )

    leave_floor: ClassVar[int] = 5
    net_loss: ClassVar[bool] = True

    folder: str

    @property
    def address(self) -> str:
        """Return the folder."""
        return self.folder

    def check(self, ctx: Context) -> Iterable[Check]:
        """Read every file and say what is wrong, line by line."""
        for name, sheet in _SHEET.items():
            path = Path(self.folder) / name
            if not path.exists():
                continue
            try:
                count = len(sheet.read(path, self.name, currency=ctx.currency))
            except SourceDataError as exc:
                for line in str(exc).splitlines():
                    yield Check(name=name, state="failed", detail=line)
            else:
                yield Check(name=name, state="ok", detail=trn("{n} row", "{n} rows", count))

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return one partition per file that is there and changed; a file that is gone is an empty one."""
        for name, sheet in _SHEET.items():
            path = Path(self.folder) / name
            cursor = cursors.get(name)
            if not path.exists() and not cursor:
                continue
            if path.exists() and not ctx.full:
                state = FileState.of_cursor(cursor)
                if (
                    state
                    and cursor
                    and cursor.get("read by") == _read_by(ctx)
                    and state.sha256 == FileState.of(path).sha256
                ):
                    ctx.skip_unchanged(name)
                    continue
            elif not path.exists() and cursor == {}:
                ctx.skip_unchanged(name)
                continue
            yield Partition(
                id=name,
                label=name,
                complete=True,
                scope=Scope(records=sheet.records),
                evidence=tr("absent from {name}", name=name),
                data=path,
            )

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file whole; one wrong line refuses the file, so that half a portfolio is never used."""
        path: Path = partition.data
        if not path.exists():
            yield Batch(cursor={})
            return
        state = FileState.of(path)
        records = _SHEET[path.name].read(path, self.name, currency=ctx.currency)
        known = msgspec.to_builtins(state)
        held = known | {"read by": ""}  # until it stands whole in the store: to be read again
        yield Batch(records=records, cursor=known | {"read by": _read_by(ctx)}, held=held)


def _read_by(ctx: Context) -> str:
    """Return what a file is read by besides its content.

    A file that says the same by other rules is read again.
    """
    return f"rules {RULES}, {ctx.currency}"


def chosen_fields(folder: Path) -> dict[str, dict[str, str]] | None:
    """Return by source the fields that fields.csv in *folder* asks of it, and their types.

    None for a file with a mistake, which the source `config` tells: what was asked for before still is.
    """
    path, found = folder / "fields.csv", dict[str, dict[str, str]]()
    try:
        records = _SHEET[path.name].read(path, "config") if path.exists() else []
    except SourceDataError:
        return None
    for one in records:
        if isinstance(one, SiteField):
            found.setdefault(one.source, {})[one.native] = one.type
    return found


def has_reference(folder: Path) -> bool:
    """Say whether *folder* holds any file of reference data."""
    return any((folder / name).exists() for name in _SHEET)
